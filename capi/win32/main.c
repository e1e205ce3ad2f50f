/* main.c: the main of programs that have a wmain. It is weak and in an object of its own, so that any other main comes first. */
#include <stdlib.h>
#include <stdio.h>
#include <wchar.h>

#define LABEL(name) __asm__(LABEL_TEXT(__USER_LABEL_PREFIX__) "anypipe_win32_" name)
#define LABEL_TEXT(x) LABEL_TEXT_(x)
#define LABEL_TEXT_(x) #x

/* For each width of wchar_t: the program's wmain, with parameters or without, and what makes the arguments. */
int wmain(int argc, void *argv) LABEL("wmain") __attribute__((weak));
int wmain_plain(void) LABEL("wmain_plain") __attribute__((weak));
void *arguments(int argc, char **argv) LABEL("arguments");
int wmain_16(int argc, void *argv) LABEL("wmain_16") __attribute__((weak));
int wmain_plain_16(void) LABEL("wmain_plain_16") __attribute__((weak));
void *arguments_16(int argc, char **argv) LABEL("arguments_16");

__attribute__((weak, visibility("default"))) int main(int argc, char **argv) {
    if (wmain != NULL || wmain_16 != NULL) {
        void *wide = wmain != NULL ? arguments(argc, argv) : arguments_16(argc, argv);
        if (wide == NULL)
            return 1;
        return wmain != NULL ? wmain(argc, wide) : wmain_16(argc, wide);
    }
    if (wmain_plain != NULL || wmain_plain_16 != NULL)
        return wmain_plain != NULL ? wmain_plain() : wmain_plain_16();
    fputs("this program has neither main nor wmain\n", stderr);
    return 127;
}
