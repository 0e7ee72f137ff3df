#include "consumers/recount/glance.h"

#include "common/clock.h"
#include "common/command.h"

enum { WAIT_MS = 500, WAITS_MAX = 60 };

/* After another node was named (STORE_UNKNOWN), or the connection was lost, it is made anew. */
static enum store_answer look_once(struct store *store, struct store_state *state,
                                   struct error *err)
{
    enum store_answer answer = STORE_UNKNOWN;
    for (int tries = 0; tries < 3 && answer == STORE_UNKNOWN; tries++) {
        answer = store_connected(store) ? STORE_DONE : store_connect(store, err);
        if (answer == STORE_DONE)
            answer = store_look(store, state, err);
    }
    return answer;
}

int glance(const struct config *config, const struct store_kind *kind, struct store_state *state,
           struct error *err)
{
    struct store *store;
    if (store_open(&store, config, kind, err) != 0)
        return -1;
    enum store_answer answer = look_once(store, state, err);
    for (int i = 0; answer == STORE_LATER && i < WAITS_MAX && !command_stopping(); i++) {
        clock_sleep_ms(WAIT_MS);
        answer = look_once(store, state, err);
    }
    store_free(store);
    return answer == STORE_DONE ? 0 : -1;
}
