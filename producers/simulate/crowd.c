#include "producers/simulate/crowd.h"

#include <stdlib.h>

enum { DRAWS = 8 };

struct seat {
    int64_t quiet_until_ms;
    uint32_t number; /* 0: free */
    uint32_t orders;
    enum mood mood;
};

struct crowd {
    struct seat *seats;
    uint32_t room, used; /* seats that were ever taken */
    uint32_t *left;      /* seats whose customer has left */
    uint32_t left_count;
    uint32_t numbers; /* given out */
};

struct crowd *crowd_open(uint32_t seats)
{
    struct crowd *crowd = calloc(1, sizeof *crowd);
    if (!crowd) {
        return NULL;
    }
    crowd->room = seats;
    crowd->seats = calloc(seats, sizeof *crowd->seats);
    crowd->left = calloc(seats, sizeof *crowd->left);
    if (!crowd->seats || !crowd->left) {
        crowd_free(crowd);
        return NULL;
    }
    return crowd;
}

void crowd_free(struct crowd *crowd)
{
    if (crowd) {
        free(crowd->seats);
        free(crowd->left);
        free(crowd);
    }
}

uint32_t crowd_new(struct crowd *crowd)
{
    uint32_t seat = CROWD_NOBODY;
    if (crowd->used < crowd->room) {
        seat = crowd->used++;
    } else if (crowd->left_count) {
        seat = crowd->left[--crowd->left_count];
    } else {
        return CROWD_NOBODY;
    }
    crowd->seats[seat] = (struct seat){.number = ++crowd->numbers};
    return seat;
}

uint32_t crowd_room(const struct crowd *crowd)
{
    return crowd->room - crowd->used + crowd->left_count;
}

uint32_t crowd_any(struct crowd *crowd, struct dice *dice, int64_t now_ms)
{
    for (int i = 0; i < DRAWS && crowd->used; i++) {
        uint32_t seat = dice_below(dice, crowd->used);
        uint32_t number = crowd->seats[seat].number;
        if (number && crowd_idle(crowd, seat, number, now_ms)) {
            return seat;
        }
    }
    return CROWD_NOBODY;
}

uint32_t crowd_number(const struct crowd *crowd, uint32_t seat)
{
    return seat == CROWD_NOBODY ? 0 : crowd->seats[seat].number;
}

bool crowd_sits(const struct crowd *crowd, uint32_t seat, uint32_t number)
{
    return seat != CROWD_NOBODY && number && crowd->seats[seat].number == number;
}

bool crowd_idle(struct crowd *crowd, uint32_t seat, uint32_t number, int64_t now_ms)
{
    if (!crowd_sits(crowd, seat, number)) {
        return false;
    }
    struct seat *taken = &crowd->seats[seat];
    if (taken->mood == MOOD_QUIET && now_ms >= taken->quiet_until_ms) {
        taken->mood = MOOD_FREE;
    }
    return taken->mood == MOOD_FREE;
}

void crowd_set(struct crowd *crowd, uint32_t seat, enum mood mood)
{
    crowd->seats[seat].mood = mood;
}

void crowd_hush(struct crowd *crowd, uint32_t seat, int64_t until_ms)
{
    crowd->seats[seat].mood = MOOD_QUIET;
    crowd->seats[seat].quiet_until_ms = until_ms;
}

void crowd_leave(struct crowd *crowd, uint32_t seat)
{
    crowd->seats[seat].number = 0;
    crowd->left[crowd->left_count++] = seat;
}

uint32_t crowd_orders(const struct crowd *crowd, uint32_t seat)
{
    return crowd->seats[seat].orders;
}

void crowd_count_order(struct crowd *crowd, uint32_t seat)
{
    crowd->seats[seat].orders++;
}
