/* fiber.h - workers that take turns in one thread, and can be cut off anywhere.
 *
 * Each fiber has a stack of its own. It runs until it sleeps; the scheduler decides who goes on.
 * A fiber that is killed simply never does: that is what a crash is. */
#ifndef TANDEM_FIBER_H
#define TANDEM_FIBER_H

#include <stdbool.h>
#include <stdint.h>

#define FIBERS_MAX 64

struct fiber;

/* A new fiber that will run body(context) when it is resumed for the first time. */
struct fiber *fiber_new(void (*body)(void *context), void *context);
/* Runs it until it sleeps or ends. Called outside of any fiber. */
void fiber_resume(struct fiber *fiber);
/* Gives the turn back. Called inside a fiber; does nothing outside. */
void fiber_sleep(void);
bool fiber_ended(const struct fiber *fiber);
/* Frees the stack; a fiber that has not ended is cut off where it stands. */
void fiber_free(struct fiber *fiber);
/* The one that runs now; NULL outside. */
struct fiber *fiber_current(void);
void *fiber_context(const struct fiber *fiber);

#endif
