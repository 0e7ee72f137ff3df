/* password.h - basic authentication by one user's name and password. */
#ifndef TANDEM_PASSWORD_H
#define TANDEM_PASSWORD_H

#include "common/error.h"

#include <stdbool.h>

struct password {
    unsigned char digest[32]; /* of "user:password" */
    bool wanted;
};

/* Reads the password, the first line of the file. 0, -1 ERROR_USAGE. */
int password_read(struct password *password, const char *user, const char *path, struct error *err);
/* Whether the header Authorization (NULL: none) tells it. Takes as long whatever it holds. */
bool password_fits(const struct password *password, const char *authorization);

#endif
