/* format.h: printing by Windows' rules, for wide and for narrow text.
 *
 * Included by format.c, narrow, and by wide.c, for each width of wchar_t. Windows' printf has a long of 32 bits, %I64d, %ws, %S, and in wide
 * formats %s for wide text. What it has in common with the C library's, this leaves to snprintf. */
#ifndef ANYPIPE_WIN32_FORMAT_H
#define ANYPIPE_WIN32_FORMAT_H

#include "world.h"

/* Where characters go: room for size of them in to, the NUL included; length counts all. */
struct output {
    TEXT_CHAR *to;
    size_t size, length;
};

static void put(struct output *output, TEXT_CHAR c) {
    if (output->length + 1 < output->size)
        output->to[output->length] = c;
    ++output->length;
}

/* One conversion of a format. */
struct conversion {
    char flags[8];
    int width, precision; /* -1: none */
    bool wide, narrow, size64, half;
    char kind;
};

static const TEXT_CHAR *parse_number(const TEXT_CHAR *at, int *number, va_list *arguments) {
    if (*at == '*') {
        *number = va_arg(*arguments, int);
        return at + 1;
    }
    *number = 0;
    for (; *at >= '0' && *at <= '9'; ++at)
        *number = *number < 100000 ? *number * 10 + (int)(*at - '0') : *number;
    return at;
}

static const TEXT_CHAR *parse_length(const TEXT_CHAR *at, struct conversion *c) {
    for (;; ++at) {
        if (*at == 'I' && at[1] == '6' && at[2] == '4')
            c->size64 = true, at += 2;
        else if (*at == 'I' && at[1] == '3' && at[2] == '2')
            at += 2;
        else if (*at == 'l' && at[1] == 'l')
            c->size64 = true, ++at;
        else if (*at == 'l' || *at == 'w')
            c->wide = true;
        else if (*at == 'h')
            c->narrow = c->half = true;
        else if (*at == 'I' || *at == 'z' || *at == 'j' || *at == 't')
            c->size64 = sizeof(size_t) == 8;
        else if (*at != 'L')
            return at;
    }
}

static const TEXT_CHAR *parse_conversion(const TEXT_CHAR *at, struct conversion *c, va_list *arguments) {
    *c = (struct conversion){.width = -1, .precision = -1};
    size_t flags = 0;
    for (; *at == '-' || *at == '+' || *at == ' ' || *at == '#' || *at == '0'; ++at)
        if (flags < sizeof c->flags - 1)
            c->flags[flags++] = (char)*at;
    if (*at == '*' || (*at >= '0' && *at <= '9'))
        at = parse_number(at, &c->width, arguments);
    if (*at == '.')
        at = parse_number(at + 1, &c->precision, arguments);
    at = parse_length(at, c);
    c->kind = (char)*at;
    return *at != 0 ? at + 1 : at;
}

/* Pads and puts text of either width. */
static void put_text(struct output *output, const struct conversion *c, const void *text, bool wide) {
    size_t length = 0, most = c->precision >= 0 ? (size_t)c->precision : SIZE_MAX;
    while (length < most && (wide ? ((const wchar_t *)text)[length] != 0 : ((const char *)text)[length] != 0))
        ++length;
    size_t pad = c->width > 0 && (size_t)c->width > length ? (size_t)c->width - length : 0;
    bool left = strchr(c->flags, '-') != NULL || c->width < -1;
    for (size_t i = 0; !left && i < pad; ++i)
        put(output, ' ');
    put_converted(output, text, length, wide);
    for (size_t i = 0; left && i < pad; ++i)
        put(output, ' ');
}

/* A number, by the C library, with the length that the argument has on Windows. */
static void put_number(struct output *output, const struct conversion *c, va_list *arguments) {
    char format[16], digits[512];
    bool real = strchr("aAeEfFgG", c->kind) != NULL;
    snprintf(format, sizeof format, "%%%s*.*%s%c", c->flags, c->size64 && !real ? "ll" : c->half && !real ? "h" : "", c->kind);
    int width = c->width == -1 ? 0 : c->width < 400 ? c->width : 400;
    int precision = c->precision < 400 ? c->precision : 400;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    if (real)
        snprintf(digits, sizeof digits, format, width, precision, va_arg(*arguments, double));
    else if (c->size64)
        snprintf(digits, sizeof digits, format, width, precision, va_arg(*arguments, long long));
    else
        snprintf(digits, sizeof digits, format, width, precision, va_arg(*arguments, int));
#pragma GCC diagnostic pop
    for (const char *digit = digits; *digit != 0; ++digit)
        put(output, (TEXT_CHAR)*digit);
}

static void put_conversion(struct output *output, struct conversion *c, va_list *arguments) {
    /* %s has the format's width, %S the other, unless l, w or h says one. */
    bool text_is_wide = c->wide || (!c->narrow && (c->kind == 's' || c->kind == 'c') == (sizeof(TEXT_CHAR) > 1));
    switch (c->kind) {
    case 's': case 'S': {
        const void *text = va_arg(*arguments, const void *);
        put_text(output, c, text != NULL ? text : "(null)", text != NULL && text_is_wide);
        break;
    }
    case 'c': case 'C': {
        wchar_t wide[2] = {(wchar_t)va_arg(*arguments, int), 0};
        char narrow[2] = {(char)wide[0], 0};
        put_text(output, c, text_is_wide ? (const void *)wide : narrow, text_is_wide);
        break;
    }
    case 'p': {
        uintptr_t value = (uintptr_t)va_arg(*arguments, void *);
        char digits[20];
        snprintf(digits, sizeof digits, "%0*llX", (int)(2 * sizeof(void *)), (unsigned long long)value);
        put_text(output, c, digits, false);
        break;
    }
    case '%': put(output, '%'); break;
    case 0: break;
    default:
        if (strchr("diouxXaAeEfFgG", c->kind) != NULL)
            put_number(output, c, arguments);
        else
            put(output, (TEXT_CHAR)c->kind);
    }
}

/* Prints, ends with NUL if there is room for anything, and returns the length without cutting. */
static size_t print(TEXT_CHAR *to, size_t size, const TEXT_CHAR *format, va_list arguments) {
    struct output output = {to, size, 0};
    va_list left;
    va_copy(left, arguments);
    while (*format != 0) {
        struct conversion conversion;
        if (*format != '%') {
            put(&output, *format++);
            continue;
        }
        format = parse_conversion(format + 1, &conversion, &left);
        put_conversion(&output, &conversion, &left);
    }
    va_end(left);
    if (size > 0)
        to[output.length < size ? output.length : size - 1] = 0;
    return output.length;
}

#endif
