#include "consumers/doctor/exam.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    LATENCY_WARNING_US = 10000,
    AHEAD_WARNING_MS = 2000,
    AHEAD_ERROR_MS = 60000,
    VERSION_TRIED = 7 /* older ones are not what the tests run on */
};

static void exam_eviction(struct diagnosis *d, const struct facts_redis *r)
{
    if (r->policy[0] && strcmp(r->policy, "noeviction") != 0) {
        diagnosis_say(d, FINDING_ERROR, "redis",
                      "%s: maxmemory-policy is %s: counters may vanish; workers refuse it",
                      r->address, r->policy);
        diagnosis_mend(d, "redis-cli CONFIG SET maxmemory-policy noeviction");
    }
    if (r->evicted > 0) {
        diagnosis_say(d, FINDING_ERROR, "redis",
                      "%s: %" PRId64 " keys were evicted since it "
                      "started: counters may be missing",
                      r->address, r->evicted);
        diagnosis_mend(d, "tandem audit; where it finds differences, tandem rebuild");
    }
}

static void exam_persistence(struct diagnosis *d, const struct facts_redis *r)
{
    if (r->write_failed[0]) {
        diagnosis_say(d, FINDING_ERROR, "redis", "%s: cannot write to its disk (%s)", r->address,
                      r->write_failed);
        diagnosis_mend(d, "redis-cli INFO persistence; then its log and its disk");
    }
    if (!r->aof && r->snapshots != 1) {
        diagnosis_say(d, FINDING_WARNING, "redis",
                      "%s: keeps nothing on disk%s: after a restart the whole log is counted again",
                      r->address, r->snapshots ? " that it tells of (CONFIG is refused)" : "");
        diagnosis_mend(d, "redis-cli CONFIG SET appendonly yes");
    } else if (!r->aof) {
        diagnosis_say(d, FINDING_OK, "redis",
                      "%s: snapshots; after a restart the minutes since the "
                      "last are counted again",
                      r->address);
    } else if (r->torn_loads == 1) {
        diagnosis_say(d, FINDING_WARNING, "redis",
                      "%s: aof-load-truncated is yes: a torn append-only file is taken, and its "
                      "second restart may apply half a batch",
                      r->address);
        diagnosis_mend(d, "redis-cli CONFIG SET aof-load-truncated no");
    } else {
        diagnosis_say(d, FINDING_OK, "redis", "%s: append-only file", r->address);
    }
}

static void exam_memory(struct diagnosis *d, const struct facts_redis *r)
{
    if (r->max_bytes <= 0) {
        diagnosis_say(d, FINDING_OK, "redis", "%s: %" PRId64 " MB used, no limit", r->address,
                      r->used_bytes / 1000000);
        return;
    }
    int64_t percent = 100 * (r->used_bytes / 1024) / (r->max_bytes / 1024 + 1);
    diagnosis_say(d,
                  percent >= 95   ? FINDING_ERROR
                  : percent >= 80 ? FINDING_WARNING
                                  : FINDING_OK,
                  "redis",
                  "%s: %" PRId64 " %% of its memory used (%" PRId64 " of %" PRId64 " MB)%s",
                  r->address, percent, r->used_bytes / 1000000, r->max_bytes / 1000000,
                  percent >= 80 ? ": when it is full, counting waits" : "");
    if (percent >= 80)
        diagnosis_mend(d,
                       "redis-cli CONFIG SET maxmemory %" PRId64 ", or tandem trim --before DATE",
                       2 * r->max_bytes);
}

static void exam_speed(struct diagnosis *d, const struct facts_redis *r)
{
    bool slow = r->latency_us > LATENCY_WARNING_US;
    diagnosis_say(d, slow ? FINDING_WARNING : FINDING_OK, "redis",
                  "%s: an answer takes %" PRId64 ".%02" PRId64 " ms%s", r->address,
                  r->latency_us / 1000, r->latency_us % 1000 / 10,
                  slow ? ": each batch waits for one" : "");
    if (slow)
        diagnosis_mend(d, "redis-cli SLOWLOG GET 10; redis-cli --latency, from here");
}

static void exam_clock(struct diagnosis *d, const struct facts_redis *r)
{
    int64_t off_ms = llabs(r->ahead_ms);
    if (off_ms <= AHEAD_WARNING_MS) {
        diagnosis_say(d, FINDING_OK, "clock", "redis %s: the same as this machine's", r->address);
        return;
    }
    diagnosis_say(d, off_ms > AHEAD_ERROR_MS ? FINDING_ERROR : FINDING_WARNING, "clock",
                  "redis %s: %" PRId64 " s %s this machine: hours expire and periods end at other "
                  "times",
                  r->address, off_ms / 1000, r->ahead_ms > 0 ? "ahead of" : "behind");
    diagnosis_mend(d, "chronyc tracking, on both");
}

static void exam_node(struct diagnosis *d, const struct facts_redis *r)
{
    if (!r->answers) {
        diagnosis_say(d, FINDING_ERROR, "redis", "no answer: %s", r->why);
        diagnosis_mend(d, "redis-cli -u URL PING");
        return;
    }
    bool old = atoi(r->version) < VERSION_TRIED;
    diagnosis_say(d, old ? FINDING_WARNING : FINDING_OK, "redis", "%s: version %s%s", r->address,
                  r->version, old ? ": tandem is tested with 7.0 and later" : "");
    if (old)
        diagnosis_mend(d, "apt-get install redis-server, or an image of redis:7");
    if (r->role[0] && strcmp(r->role, "master") != 0) {
        diagnosis_say(d, FINDING_ERROR, "redis", "%s: is a %s, which takes no counts", r->address,
                      r->role);
        diagnosis_mend(d, "tandem settings | grep redis; name its master, or its Sentinels");
    }
    if (r->cluster_broken) {
        diagnosis_say(d, FINDING_ERROR, "redis", "%s: its cluster is not whole", r->address);
        diagnosis_mend(d, "redis-cli --cluster check %s", r->address);
    }
    exam_eviction(d, r);
    exam_persistence(d, r);
    exam_memory(d, r);
    exam_speed(d, r);
    exam_clock(d, r);
}

void exam_redis(struct diagnosis *d, const struct facts *facts)
{
    for (int i = 0; i < facts->node_count; i++)
        exam_node(d, &facts->nodes[i]);
}
