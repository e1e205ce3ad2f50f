/* io.h: the C library's descriptors, which bear an underscore on Windows. */
#ifndef ANYPIPE_IO_H
#define ANYPIPE_IO_H

#include <stdio.h>
#include <unistd.h>

#define _O_TEXT 0x4000
#define _O_BINARY 0x8000
#define _fileno fileno
#define _isatty isatty
/* There is one mode, and that is binary. */
#define _setmode(descriptor, mode) ((void)(descriptor), (void)(mode), _O_BINARY)

#endif
