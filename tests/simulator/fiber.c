#include "fiber.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#else /* nobody has to be told of another stack */
#define __sanitizer_start_switch_fiber(save, bottom, size) \
    ((void)(save), (void)(bottom), (void)(size))
#define __sanitizer_finish_switch_fiber(save, bottom, size) \
    ((void)(save), (void)(bottom), (void)(size))
#define __asan_unpoison_memory_region(at, size) ((void)(at))
#endif

enum { STACK_BYTES = 512 * 1024 };

struct fiber {
    ucontext_t context, back;
    void (*body)(void *context);
    void *argument;
    void *stack;
    void *fake; /* the sanitizer's, while others run */
    bool ended;
};

static struct fiber *current;
/* Stacks are used again: a schedule makes hundreds of fibers. */
static void *spare[FIBERS_MAX];
static int spare_count;
/* The stack of the scheduler. */
static const void *main_stack;
static size_t main_bytes;

static void start(void)
{
    struct fiber *self = current;
    __sanitizer_finish_switch_fiber(NULL, &main_stack, &main_bytes);
    self->body(self->argument);
    self->ended = true;
    __sanitizer_start_switch_fiber(NULL, main_stack, main_bytes);
    swapcontext(&self->context, &self->back);
}

static void *new_stack(void)
{
    if (spare_count) {
        __asan_unpoison_memory_region(spare[spare_count - 1], STACK_BYTES);
        return spare[--spare_count];
    }
    void *stack =
        mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED) {
        perror("fiber");
        abort();
    }
    return stack;
}

struct fiber *fiber_new(void (*body)(void *context), void *context)
{
    struct fiber *fiber = calloc(1, sizeof *fiber);
    if (!fiber)
        abort();
    fiber->body = body;
    fiber->argument = context;
    fiber->stack = new_stack();
    getcontext(&fiber->context);
    fiber->context.uc_stack.ss_sp = fiber->stack;
    fiber->context.uc_stack.ss_size = STACK_BYTES;
    makecontext(&fiber->context, start, 0);
    return fiber;
}

void fiber_resume(struct fiber *fiber)
{
    void *fake = NULL;
    current = fiber;
    __sanitizer_start_switch_fiber(&fake, fiber->stack, STACK_BYTES);
    swapcontext(&fiber->back, &fiber->context);
    __sanitizer_finish_switch_fiber(fake, NULL, NULL);
    current = NULL;
}

void fiber_sleep(void)
{
    struct fiber *self = current;
    if (!self)
        return;
    __sanitizer_start_switch_fiber(&self->fake, main_stack, main_bytes);
    swapcontext(&self->context, &self->back);
    __sanitizer_finish_switch_fiber(self->fake, &main_stack, &main_bytes);
}

bool fiber_ended(const struct fiber *fiber)
{
    return fiber->ended;
}

void fiber_free(struct fiber *fiber)
{
    if (!fiber)
        return;
    if (spare_count < FIBERS_MAX)
        spare[spare_count++] = fiber->stack;
    else
        munmap(fiber->stack, STACK_BYTES);
    free(fiber);
}

struct fiber *fiber_current(void)
{
    return current;
}

void *fiber_context(const struct fiber *fiber)
{
    return fiber->argument;
}
