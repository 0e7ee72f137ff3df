#include "consumers/dashboard/password.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { PAIR_MAX = 1024 };

int password_read(struct password *password, const char *user, const char *path, struct error *err)
{
    char line[512] = "", pair[PAIR_MAX];
    FILE *file = fopen(path, "re");
    if (!file) {
        return error_set(err, ERROR_USAGE, "--password-file %s: %s", path, strerror(errno));
    }
    bool read = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    line[strcspn(line, "\r\n")] = '\0';
    if (!read || !line[0] || strchr(user, ':') || strlen(user) > 256) {
        return error_set(err, ERROR_USAGE,
                         "--password-file %s: no password in its first line, or a colon in --user",
                         path);
    }
    int len = snprintf(pair, sizeof pair, "%s:%s", user, line);
    unsigned size = sizeof password->digest;
    int made = EVP_Digest(pair, (size_t)len, password->digest, &size, EVP_sha256(), NULL);
    OPENSSL_cleanse(line, sizeof line);
    OPENSSL_cleanse(pair, sizeof pair);
    password->wanted = true;
    return made == 1 ? 0 : error_set(err, ERROR_SYSTEM, "cannot hash the password");
}

/* Base64 without anything else; the length of what it says, -1: it is none. */
static int decode(const char *text, unsigned char out[PAIR_MAX])
{
    size_t len = strlen(text);
    if (len == 0 || len % 4 != 0 || len / 4 * 3 > PAIR_MAX) {
        return -1;
    }
    int size = EVP_DecodeBlock(out, (const unsigned char *)text, (int)len);
    size -= text[len - 1] == '=';
    size -= text[len - 2] == '=';
    return size;
}

bool password_fits(const struct password *password, const char *authorization)
{
    unsigned char pair[PAIR_MAX], digest[32] = {0};
    unsigned size = sizeof digest;
    if (!password->wanted) {
        return true;
    }
    if (!authorization || strncasecmp(authorization, "Basic ", 6) != 0) {
        return false;
    }
    int len = decode(authorization + 6, pair);
    if (len < 0 || EVP_Digest(pair, (size_t)len, digest, &size, EVP_sha256(), NULL) != 1) {
        return false;
    }
    return CRYPTO_memcmp(digest, password->digest, sizeof digest) == 0;
}
