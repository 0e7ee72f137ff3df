/* error.h - one error value, held by the caller.
 *
 * Every function that can fail takes a `struct error *` last and returns -1 (or NULL) after
 * filling it. The text is a whole sentence fragment for people: what failed, on what, why.
 * Nothing to free. A caller that does not care may pass NULL. */
#ifndef TANDEM_ERROR_H
#define TANDEM_ERROR_H

#include <stdbool.h>

enum error_code {
    ERROR_NONE,
    ERROR_USAGE,  /* the caller's words are wrong: exit status 2 */
    ERROR_INPUT,  /* foreign input is wrong */
    ERROR_MEMORY, /* no memory */
    ERROR_SYSTEM, /* the operating system refused */
    ERROR_KAFKA,  /* Kafka answered with an error, or did not answer */
    ERROR_REDIS,  /* Redis answered with an error, or did not answer */
    ERROR_STORE,  /* the store in Redis is not one this process may write to */
    ERROR_LOG,    /* the log in Kafka is not the one the store counts, or has a gap */
    ERROR_STOPPED /* a signal asked to stop while waiting */
};

struct error {
    enum error_code code;
    bool retry; /* the same call may succeed later without anybody mending anything */
    char text[1024];
};

/* Fills *err (NULL is fine), cuts the text to its room. Always returns -1, so that a caller can
 * write `return error_set(...)`. `retry` is false; use error_retry() for what may pass. */
int error_set(struct error *err, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int error_retry(struct error *err, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "<prefix>: " before the text that is there. Always returns -1. */
int error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "out of memory", ERROR_MEMORY. Always returns -1, where analyzers can see it. */
static inline int error_memory(struct error *err)
{
    error_set(err, ERROR_MEMORY, "out of memory");
    return -1;
}

#endif
