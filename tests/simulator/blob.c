#include "blob.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { ROOM_MIN = 1 << 8 };

struct blob {
    uint64_t hash;
    struct text text;
};

static struct blob *blobs;
static size_t count, room;   /* room is twice what is filled at most */
static uint32_t *blob_index; /* place + 1 by hash; 0: free */

static void *must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

static size_t place_of(uint64_t hash, struct text bytes)
{
    size_t i = hash & (room - 1);
    while (blob_index[i] && (blobs[blob_index[i] - 1].hash != hash ||
                             !text_equal(blobs[blob_index[i] - 1].text, bytes)))
        i = (i + 1) & (room - 1);
    return i;
}

static void grow(void)
{
    room = room ? room * 2 : ROOM_MIN;
    blobs = must(realloc(blobs, room * sizeof *blobs));
    free(blob_index);
    blob_index = must(calloc(room, sizeof *blob_index));
    for (size_t i = 0; i < count; i++)
        blob_index[place_of(blobs[i].hash, blobs[i].text)] = (uint32_t)i + 1;
}

int64_t blob_of(struct text bytes)
{
    uint64_t hash = XXH3_64bits(bytes.at, bytes.len);
    if (bytes.len == 0)
        return 0;
    if (count * 2 >= room)
        grow();
    size_t i = place_of(hash, bytes);
    if (!blob_index[i]) {
        char *copy = must(malloc(bytes.len));
        memcpy(copy, bytes.at, bytes.len);
        blobs[count] = (struct blob){hash, {copy, bytes.len}};
        blob_index[i] = (uint32_t)++count;
    }
    return blob_index[i];
}

struct text blob_text(int64_t blob)
{
    return blob ? blobs[blob - 1].text : text_of("");
}

void blob_forget_all(void)
{
    for (size_t i = 0; i < count; i++)
        free((char *)(uintptr_t)blobs[i].text.at);
    count = 0;
    if (blob_index)
        memset(blob_index, 0, room * sizeof *blob_index);
}
