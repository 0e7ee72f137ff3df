#include "producers/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct lines {
    int fd;
    bool ended;    /* nothing more to read */
    bool dropping; /* inside a line that is too long */
    uint64_t number;
    size_t max;
    size_t begin, searched, end; /* of what is read and not answered, in `bytes` */
    size_t room;
    char bytes[];
};

int lines_open(struct lines **out, const char *path, size_t max, struct error *err)
{
    bool standard = !path || strcmp(path, "-") == 0;
    size_t room = max * 2 + 65536;
    struct lines *lines = malloc(sizeof *lines + room);
    if (!lines) {
        return error_memory(err);
    }
    *lines = (struct lines){.fd = STDIN_FILENO, .max = max, .room = room};
    if (!standard && (lines->fd = open(path, O_RDONLY | O_CLOEXEC)) < 0) {
        free(lines);
        return error_set(err, ERROR_INPUT, "%s: %s", path, strerror(errno));
    }
    *out = lines;
    return 0;
}

void lines_free(struct lines *lines)
{
    if (lines) {
        if (lines->fd != STDIN_FILENO) {
            close(lines->fd);
        }
        free(lines);
    }
}

uint64_t lines_number(const struct lines *lines)
{
    return lines->number;
}

/* Room for at least one more byte: what is answered or dropped goes. */
static void make_room(struct lines *lines)
{
    if (lines->begin > 0) {
        memmove(lines->bytes, lines->bytes + lines->begin, lines->end - lines->begin);
        lines->searched -= lines->begin;
        lines->end -= lines->begin;
        lines->begin = 0;
    }
}

/* LINES_LINE: something was read, or the end was. */
static enum lines_answer fill(struct lines *lines, int64_t wait_ms, struct error *err)
{
    struct pollfd ready = {.fd = lines->fd, .events = POLLIN};
    make_room(lines);
    if (poll(&ready, 1, (int)wait_ms) <= 0) {
        return LINES_WAIT;
    }
    ssize_t got = read(lines->fd, lines->bytes + lines->end, lines->room - lines->end);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
        return LINES_WAIT;
    }
    if (got < 0) {
        error_set(err, ERROR_SYSTEM, "input: %s", strerror(errno));
        return LINES_ERROR;
    }
    lines->ended = got == 0;
    lines->end += (size_t)got;
    return LINES_LINE;
}

/* Takes bytes up to `stop` as a line, or as the rest of one that is dropped. */
static enum lines_answer take(struct lines *lines, size_t stop, size_t next, struct text *line)
{
    bool dropped = lines->dropping;
    *line = (struct text){lines->bytes + lines->begin, stop - lines->begin};
    if (line->len > 0 && line->at[line->len - 1] == '\r') {
        line->len--;
    }
    lines->begin = lines->searched = next;
    lines->dropping = false;
    lines->number++;
    return dropped || line->len > lines->max ? LINES_TOO_LONG : LINES_LINE;
}

/* More than a line may hold, and no end in sight: forget it and remember that. */
static void drop_if_long(struct lines *lines)
{
    if (lines->dropping || lines->end - lines->begin > lines->max + 1) {
        lines->dropping = true;
        lines->begin = lines->searched = lines->end = 0;
    }
}

enum lines_answer lines_next(struct lines *lines, struct text *line, int64_t wait_ms,
                             struct error *err)
{
    for (;;) {
        char *from = lines->bytes + lines->searched;
        char *found = memchr(from, '\n', lines->end - lines->searched);
        if (found) {
            size_t stop = (size_t)(found - lines->bytes);
            return take(lines, stop, stop + 1, line);
        }
        lines->searched = lines->end;
        if (lines->ended) {
            bool rest = lines->dropping || lines->begin < lines->end;
            return rest ? take(lines, lines->end, lines->end, line) : LINES_END;
        }
        drop_if_long(lines);
        enum lines_answer answer = fill(lines, wait_ms, err);
        if (answer != LINES_LINE) {
            return answer;
        }
    }
}
