/* text.h: UTF-8 from and to wchar_t, which is UTF-32 or, in wide.c's second compilation, UTF-16. What is malformed becomes U+FFFD. */
#ifndef ANYPIPE_WIN32_TEXT_H
#define ANYPIPE_WIN32_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <wchar.h>

enum { REPLACEMENT = 0xFFFD };

static inline uint32_t next_utf8(const char **at, const char *end) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = (unsigned char)*(*at)++;
    if (first < 0x80)
        return first;
    int length = first >= 0xF0 && first < 0xF5 ? 4 : first >= 0xE0 && first < 0xF0 ? 3 : first >= 0xC2 && first < 0xE0 ? 2 : 0;
    if (length == 0)
        return REPLACEMENT;
    uint32_t point = first & (0xFFu >> (length + 1));
    for (int i = 1; i < length; ++i) {
        if (*at == end || ((unsigned char)**at & 0xC0) != 0x80)
            return REPLACEMENT;
        point = point << 6 | ((unsigned char)*(*at)++ & 0x3F);
    }
    return point < least[length] || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000) ? REPLACEMENT : point;
}

static inline size_t put_utf8(uint32_t point, char to[4]) {
    size_t length = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; --i, point >>= 6)
        to[i] = (char)(0x80 | (point & 0x3F));
    to[0] = (char)(length == 1 ? point : (0xF00u >> length) | point);
    return length;
}

static inline uint32_t next_wide(const wchar_t **at, const wchar_t *end) {
    uint32_t point = (uint32_t)*(*at)++;
    if (sizeof(wchar_t) == 2 && point >= 0xD800 && point < 0xDC00 && *at != end && ((uint32_t)**at & 0xFC00) == 0xDC00)
        return 0x10000 + ((point - 0xD800) << 10) + ((uint32_t)*(*at)++ - 0xDC00);
    return point > 0x10FFFF || (point >= 0xD800 && point < 0xE000) ? REPLACEMENT : point;
}

static inline size_t put_wide(uint32_t point, wchar_t to[2]) {
    if (sizeof(wchar_t) > 2 || point < 0x10000) {
        to[0] = (wchar_t)point;
        return 1;
    }
    to[0] = (wchar_t)(0xD800 + ((point - 0x10000) >> 10));
    to[1] = (wchar_t)(0xDC00 + ((point - 0x10000) & 0x3FF));
    return 2;
}

#endif
