/* log.h - what a process says about its life, on stderr, one line an event.
 *
 *     log_info("partition assigned", log_s("topic", topic), log_i("partition", p));
 *     time=2026-11-23T14:05:09.123Z level=info event="partition assigned" topic=tandem.sales partition=3
 *
 * Event contents, customer ids and secrets never go in above debug. Thread-safe: one write(2) a
 * line. */
#ifndef TANDEM_LOG_H
#define TANDEM_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

struct log_field {
    const char *name;   /* NULL ends the list */
    const char *string; /* NULL: the number counts */
    int64_t number;
};

static inline struct log_field log_s(const char *name, const char *value)
{
    return (struct log_field){name, value ? value : "", 0};
}

static inline struct log_field log_i(const char *name, int64_t value)
{
    return (struct log_field){name, 0, value};
}

/* Sets what is written and how. Call it before other threads start. Default: info, logfmt. */
void log_setup(enum log_level level, enum log_format format);
bool log_enabled(enum log_level level);

/* Writes one line; `fields` ends with a NULL name. A line is cut at 4 KiB. Of warnings
 * and errors that differ in numbers only at most 10 are written in 10 s; the next one after that has
 * a field `suppressed`, how many were left out. Cannot fail. */
void log_write(enum log_level level, const char *event, const struct log_field *fields);

#define LOG_FIELDS_(...)        ((const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){0, 0, 0}})
#define log_error(event, ...)   log_write(LOG_ERROR, event, LOG_FIELDS_(__VA_ARGS__))
#define log_warning(event, ...) log_write(LOG_WARNING, event, LOG_FIELDS_(__VA_ARGS__))
#define log_info(event, ...)    log_write(LOG_INFO, event, LOG_FIELDS_(__VA_ARGS__))
#define log_debug(event, ...) \
    (log_enabled(LOG_DEBUG) ? log_write(LOG_DEBUG, event, LOG_FIELDS_(__VA_ARGS__)) : (void)0)

#endif
