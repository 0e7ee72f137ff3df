#include "common/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECRET_MAX = 4096 };

int secret_read(char **out, const char *path, const char *what, struct error *err)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        return error_set(err, ERROR_USAGE, "%s %s: %s", what, path, strerror(errno));
    }
    char line[SECRET_MAX + 2] = "";
    setvbuf(file, NULL, _IONBF, 0); /* no second copy in a buffer */
    size_t len = fread(line, 1, sizeof line - 1, file);
    int failed = ferror(file);
    fclose(file);
    line[len] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    int rc = 0;
    if (failed || line[0] == '\0' || strlen(line) > SECRET_MAX) {
        rc = error_set(err, ERROR_USAGE, "%s %s: no password in its first line", what, path);
    } else {
        *out = strdup(line);
        rc = *out ? 0 : error_memory(err);
    }
    explicit_bzero(line, sizeof line);
    return rc;
}

void secret_free(char *secret)
{
    if (secret) {
        explicit_bzero(secret, strlen(secret));
        free(secret);
    }
}
