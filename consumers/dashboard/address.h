/* address.h - the address that a server listens at. */
#ifndef TANDEM_ADDRESS_H
#define TANDEM_ADDRESS_H

#include "common/error.h"

#include <stdbool.h>

#define ADDRESS_MAX 300

/* Listens at "127.0.0.1:8080", "[::1]:8080" or ":8080" (everywhere); port 0 is any free one.
 * 0: *fd is the caller's to close, `shown` is the address in use and *local says that only this
 * machine reaches it. -1 ERROR_USAGE (no such address), ERROR_SYSTEM (taken, not allowed). */
int address_listen(const char *text, int *fd, char shown[ADDRESS_MAX], bool *local,
                   struct error *err);

#endif
