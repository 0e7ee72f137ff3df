/* redis_tls.h - TLS under a connection to Redis, with the server's name checked. */
#ifndef TANDEM_REDIS_TLS_H
#define TANDEM_REDIS_TLS_H

#include "common/error.h"

#include <hiredis/hiredis.h>

/* Shakes hands on a connected `context`. `ca_file` "" trusts what the system trusts. The
 * certificate must carry `host` (a name or an address): hiredis alone would not look. 0; -1
 * (ERROR_REDIS, err->retry when only the network failed). */
int redis_tls_start(redisContext *context, const char *host, const char *ca_file,
                    struct error *err);

#endif
