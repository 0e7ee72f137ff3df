/* redis_sentinel.h - asks Sentinels which Redis is the master now. */
#ifndef TANDEM_REDIS_SENTINEL_H
#define TANDEM_REDIS_SENTINEL_H

#include "common/error.h"
#include "common/redis_url.h"

#include <stdint.h>

/* Asks one Sentinel of `url` after the other until one knows the master, and sets url's host, port
 * and address to it. Each is waited for at most a second, or `timeout_ms` if that is less. One that
 * wants a password is given the URL's. 0; -1 (ERROR_REDIS): none knows, err tells what the last one
 * said; err->retry is false only when somebody has to mend something: all that answered refused
 * the password or know no master of this name. */
int redis_sentinel_find(struct redis_url *url, int64_t timeout_ms, struct error *err);

#endif
