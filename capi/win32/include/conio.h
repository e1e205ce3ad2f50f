/* conio.h: single keys from the terminal. */
#ifndef ANYPIPE_CONIO_H
#define ANYPIPE_CONIO_H

#include "windef.h"

ANYPIPE_W32_BEGIN
/* The next key without echo; EOF when standard input has ended. */
int _getch(void) ANYPIPE_W32(getch);
int _getche(void) ANYPIPE_W32(getche);
int _kbhit(void) ANYPIPE_W32(kbhit);
ANYPIPE_W32_END

#define getch _getch
#define getche _getche
#define kbhit _kbhit

#endif
