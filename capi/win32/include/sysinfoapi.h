/* sysinfoapi.h: see winbase.h. */
#include "winbase.h"
