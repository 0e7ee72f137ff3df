#include "common/log.h"

#include "common/calendar.h"
#include "common/clock.h"
#include "common/repeats.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 4096 };

static enum log_level max_level = LOG_INFO;
static enum log_format line_format = LOG_FORMAT_LOGFMT;

/* One line being built. LINE_ROOM leaves three bytes free for what ends it whole even when it is
 * cut: a closing quote, a closing brace and the newline. Once `full`, nothing more goes in. */
enum { LINE_ROOM = LINE_MAX_BYTES - 3 };

struct line {
    char text[LINE_MAX_BYTES];
    size_t len;
    bool full;
};

void log_setup(enum log_level level, enum log_format format)
{
    max_level = level;
    line_format = format;
}

bool log_enabled(enum log_level level)
{
    return level <= max_level;
}

static const char *level_name(enum log_level level)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    return names[level];
}

static void put(struct line *line, const char *at, size_t len)
{
    if (line->full || line->len + len > LINE_ROOM) {
        line->full = true;
        return;
    }
    memcpy(line->text + line->len, at, len);
    line->len += len;
}

static void put_string(struct line *line, const char *string)
{
    put(line, string, strlen(string));
}

/* Length of the UTF-8 character at `at`, 0 when its bytes are not one. The string's zero byte is
 * no continuation byte, so nothing behind it is read. */
static size_t character_length(const unsigned char *at)
{
    if (at[0] < 0x80) {
        return 1;
    }
    size_t len = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    if (at[0] < 0xc2 || at[0] > 0xf4) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool overlong = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90);
    bool surrogate = at[0] == 0xed && at[1] >= 0xa0;
    bool beyond = at[0] == 0xf4 && at[1] >= 0x90;
    return overlong || surrogate || beyond ? 0 : len;
}

/* U+0080-U+009F are controls too: a terminal may obey them. */
static bool is_control(const unsigned char *at, size_t len)
{
    return (len == 1 && (at[0] < 0x20 || at[0] == 0x7f)) ||
           (len == 2 && at[0] == 0xc2 && at[1] < 0xa0);
}

static void put_control(struct line *line, const unsigned char *at, size_t len)
{
    switch (at[0]) {
    case '\n':
        put(line, "\\n", 2);
        return;
    case '\r':
        put(line, "\\r", 2);
        return;
    case '\t':
        put(line, "\\t", 2);
        return;
    default:
        break;
    }
    char escape[8];
    snprintf(escape, sizeof escape, "\\u%04x", len == 1 ? at[0] : at[1]);
    put_string(line, escape);
}

/* Between quotes, escaped as JSON wants it; both formats use it. Bytes that are no UTF-8 become
 * U+FFFD, one each. A value that does not fit is cut at a character and still closed. */
static void put_quoted(struct line *line, const char *string)
{
    put(line, "\"", 1);
    if (line->full) {
        return;
    }
    const unsigned char *at = (const unsigned char *)string;
    while (*at && !line->full) {
        size_t len = character_length(at);
        if (len == 0) {
            put(line, "\xef\xbf\xbd", 3);
            len = 1;
        } else if (is_control(at, len)) {
            put_control(line, at, len);
        } else if (*at == '"' || *at == '\\') {
            put(line, (const char[]){'\\', (char)*at}, 2);
        } else {
            put(line, (const char *)at, len);
        }
        at += len;
    }
    line->text[line->len++] = '"';
}

static bool is_plain(const char *string)
{
    const unsigned char *at = (const unsigned char *)string;
    if (!*at) {
        return false;
    }
    for (size_t len; *at; at += len) {
        len = character_length(at);
        if (len == 0 || is_control(at, len) || *at == ' ' || *at == '=' || *at == '"' ||
            *at == '\\') {
            return false;
        }
    }
    return true;
}

/* The separator and the name. False, and nothing written, when they do not fit. */
static bool put_name(struct line *line, const char *name)
{
    size_t start = line->len;
    bool json = line_format == LOG_FORMAT_JSON;
    if (start > 0) {
        put(line, json ? "," : " ", 1);
    } else if (json) {
        put(line, "{", 1);
    }
    if (json) {
        put_quoted(line, name);
        put(line, ":", 1);
    } else {
        put_string(line, name);
        put(line, "=", 1);
    }
    if (line->full) {
        line->len = start;
    }
    return !line->full;
}

static void put_value(struct line *line, const char *value)
{
    bool fits = line->len + strlen(value) <= LINE_ROOM;
    if (line_format == LOG_FORMAT_LOGFMT && fits && is_plain(value)) {
        put_string(line, value);
    } else {
        put_quoted(line, value);
    }
}

/* A field whose value finds no room at all is left out together with its name. */
static void put_field(struct line *line, struct log_field field)
{
    size_t start = line->len;
    if (!put_name(line, field.name)) {
        return;
    }
    size_t value = line->len;
    if (field.string) {
        put_value(line, field.string);
    } else {
        char number[24];
        snprintf(number, sizeof number, "%" PRId64, field.number);
        put_string(line, number);
    }
    if (line->len == value) {
        line->len = start;
    }
}

/* Always with milliseconds, so that lines sort as text. */
static void put_time(struct line *line)
{
    char text[32];
    int64_t now_ms = clock_wall_ms();
    int fraction_ms = (int)(now_ms % 1000);
    calendar_format_time(now_ms - fraction_ms, text);
    size_t zone = strlen(text) - 1;
    snprintf(text + zone, sizeof text - zone, ".%03dZ", fraction_ms);
    put_field(line, log_s("time", text));
}

/* One write, so that lines of several threads do not mix. What stderr does not take is lost: a
 * process must not stand still for its log. */
static void write_line(struct line *line)
{
    if (line_format == LOG_FORMAT_JSON) {
        line->text[line->len++] = '}';
    }
    line->text[line->len++] = '\n';
    ssize_t written;
    do {
        written = write(STDERR_FILENO, line->text, line->len);
    } while (written < 0 && errno == EINTR);
}

/* What is tried again and again must not fill a disk. */
static struct repeats repeats;
static pthread_mutex_t repeats_lock = PTHREAD_MUTEX_INITIALIZER;

static uint64_t add_to_key(uint64_t key, const char *text)
{
    for (; *text; text++) {
        key = (key ^ (unsigned char)*text) * UINT64_C(1099511628211); /* FNV-1a */
    }
    return (key ^ 0xff) * UINT64_C(1099511628211);
}

/* A line repeats another whatever its numbers are. False: one too many. */
static bool may_write(enum log_level level, const char *event, const struct log_field *fields,
                      int64_t *suppressed)
{
    *suppressed = 0;
    if (level > LOG_WARNING) {
        return true;
    }
    uint64_t key = add_to_key(UINT64_C(14695981039346656037) + level, event);
    for (; fields->name; fields++) {
        key = fields->string ? add_to_key(key, fields->string) : key;
    }
    pthread_mutex_lock(&repeats_lock);
    bool may = repeats_may(&repeats, key, clock_mono_ms(), suppressed);
    pthread_mutex_unlock(&repeats_lock);
    return may;
}

void log_write(enum log_level level, const char *event, const struct log_field *fields)
{
    int64_t suppressed;
    if (!log_enabled(level) || !may_write(level, event, fields, &suppressed)) {
        return;
    }
    int saved_errno = errno;
    struct line line;
    line.len = 0;
    line.full = false;
    put_time(&line);
    put_field(&line, log_s("level", level_name(level)));
    put_field(&line, log_s("event", event));
    for (; fields->name; fields++) {
        put_field(&line, *fields);
    }
    if (suppressed) {
        put_field(&line, log_i("suppressed", suppressed));
    }
    write_line(&line);
    errno = saved_errno;
}
