/* webhook.h - posts one body at a time to a URL, signed, without waiting for the answer.
 *
 * Signed as Standard Webhooks says: HMAC-SHA256 over "<id>.<timestamp>.<body>", in base64, in the
 * header webhook-signature as "v1,<...>"; id and timestamp in headers of their own. Redirects are
 * not followed. Use from one thread. */
#ifndef TANDEM_WEBHOOK_H
#define TANDEM_WEBHOOK_H

#include "common/config.h"
#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct webhook;

enum webhook_answer {
    WEBHOOK_PENDING,
    WEBHOOK_TAKEN,  /* a status of 2xx */
    WEBHOOK_REFUSED /* any other, or none within the time; send it again later */
};

/* Reads the secret of setting webhook.secret.file; does not connect. 0, caller owns *out until
 * webhook_free(); -1: no http(s) URL, or a secret that cannot be read or is under 16 bytes. */
int webhook_open(struct webhook **out, const struct config *config, struct error *err);
void webhook_free(struct webhook *webhook);

/* Sends a copy of the body. None may be under way. 0, or -1 (memory). */
int webhook_send(struct webhook *webhook, const char *id, int64_t now_s, const char *body,
                 size_t length, struct error *err);
/* Forgets what is under way; the receiver may have it. */
void webhook_drop(struct webhook *webhook);
bool webhook_busy(const struct webhook *webhook);
/* Moves what is under way on, never waits. When WEBHOOK_REFUSED, err says why and *after_s how many
 * seconds the receiver asks to wait (0: it does not say). */
enum webhook_answer webhook_poll(struct webhook *webhook, int64_t *after_s, struct error *err);

#endif
