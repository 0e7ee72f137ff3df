#include "consumers/worker/definition.h"

#include "consumers/worker/fold.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void definition_write(const struct config *config, const struct zone *zone, char *out)
{
    /* The zone's name alone would not do: two images may carry different tzdata. */
    snprintf(out, DEFINITION_BYTES,
             "fold=%d\ntimezone=%s/%016" PRIx64 "\ntype.prefix=%s\nscopes=%s\n"
             "scope.limit=%" PRId64 "\ndedup.window=%" PRId64 "\nisolation.level=read_committed\n",
             FOLD_VERSION, zone_name(zone), zone_hash(zone), config->type_prefix, config->scopes,
             config->scope_limit, config->dedup_window);
}

/* The line of `text` that begins with `name` and '='; its value, "(none)" where there is none. */
static struct text value_of(const char *text, struct text name)
{
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
        if (strncmp(line, name.at, name.len) == 0 && line[name.len] == '=')
            return (struct text){line + name.len + 1, strcspn(line + name.len + 1, "\n")};
        if (!strchr(line, '\n'))
            break;
    }
    return text_of("(none)");
}

static void say(struct text name, struct text here, struct text store, char *out, size_t room)
{
    size_t len = strlen(out);
    snprintf(out + len, room - len, "%s%.*s is %.*s here, %.*s in the store", len ? "; " : "",
             TEXT_ARG(name), TEXT_ARG(here), TEXT_ARG(store));
}

static struct text name_of(const char *line)
{
    return (struct text){line, strcspn(line, "=\n")};
}

int definition_compare(const char *here, const char *store, char *out, size_t room)
{
    int differences = 0;
    out[0] = 0;
    for (const char *line = here; *line; line += strcspn(line, "\n") + 1) {
        struct text name = name_of(line);
        if (!text_equal(value_of(here, name), value_of(store, name))) {
            say(name, value_of(here, name), value_of(store, name), out, room);
            differences++;
        }
        if (!strchr(line, '\n'))
            break;
    }
    for (const char *line = store; *line; line += strcspn(line, "\n") + 1) {
        struct text name = name_of(line);
        if (text_is(value_of(here, name), "(none)")) {
            say(name, text_of("(none)"), value_of(store, name), out, room);
            differences++;
        }
        if (!strchr(line, '\n'))
            break;
    }
    return differences;
}
