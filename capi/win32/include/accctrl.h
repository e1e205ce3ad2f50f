/* accctrl.h: see aclapi.h. */
#include "aclapi.h"
