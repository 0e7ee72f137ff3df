#include "consumers/recount/audit_gap.h"

#include <stdio.h>
#include <string.h>

bool audit_gap_harmless(const char *note)
{
    while (*note) {
        size_t from = strspn(note, "0123456789");
        if (from != 1 || *note != '0' || note[from] != '-')
            return false;
        note += from + 1;
        size_t until = strspn(note, "0123456789");
        if (until == 0 || (note[until] && note[until] != ' '))
            return false;
        note += until + (note[until] == ' ');
    }
    return true;
}

static int check_note(const char *topic, const char *field, const char *note, struct error *err)
{
    char windows[300];
    size_t len = strlen(topic);
    snprintf(windows, sizeof windows, "window:%s:", topic);
    bool window = strncmp(field, windows, strlen(windows)) == 0;
    bool own = strncmp(field, topic, len) == 0 && field[len] == ':';
    if (!window && (!own || audit_gap_harmless(note)))
        return 0;
    return error_set(err, ERROR_LOG,
                     "%s partition %s: a gap of the log was accepted (%.80s): the counters hold "
                     "what the log does not say, and a recount cannot speak for them; `tandem "
                     "rebuild` counts what the log holds",
                     topic, strrchr(field, ':') + 1, note);
}

int audit_gap_check(struct redis *redis, const char *prefix, const char *topic, struct error *err)
{
    redisReply *reply;
    int rc = 0;
    if (redis_callf(redis, &reply, err, "HGETALL %sgap", prefix) != REDIS_OK)
        return -1;
    for (size_t i = 0; i + 1 < reply->elements && rc == 0; i += 2)
        rc = check_note(topic, reply->element[i]->str, reply->element[i + 1]->str, err);
    freeReplyObject(reply);
    return rc;
}
