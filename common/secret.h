/* secret.h - passwords from files, so that they stand in no command line. */
#ifndef TANDEM_SECRET_H
#define TANDEM_SECRET_H

#include "common/error.h"

/* Reads the first line of the file, without its line end; `what` names the setting in errors. 0,
 * and the caller owns *out until secret_free(); -1 (ERROR_USAGE) when there is none. */
int secret_read(char **out, const char *path, const char *what, struct error *err);

/* Overwrites, frees; NULL is fine. */
void secret_free(char *secret);

#endif
