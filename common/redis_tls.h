/* redis_tls.h - TLS under a connection to Redis, with the server's name checked. */
#ifndef TANDEM_REDIS_TLS_H
#define TANDEM_REDIS_TLS_H

#include "common/error.h"

#include <hiredis/hiredis.h>

/* PEM files, "" for none. ca: whom to trust, else whom the system trusts; cert and key: who we are,
 * for a server that asks. */
struct redis_tls {
    const char *ca_file, *cert_file, *key_file;
};

/* Shakes hands on a connected `context`. The
 * certificate must carry `host` (a name or an address): hiredis alone would not look. 0; -1
 * (ERROR_REDIS, err->retry when only the network failed). */
int redis_tls_start(redisContext *context, const char *host, const struct redis_tls *tls,
                    struct error *err);

#endif
