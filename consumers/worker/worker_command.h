/* worker_command.h - `tandem sales-worker` and `tandem service-worker`, and what every worker's
 * command does. */
#ifndef TANDEM_WORKER_COMMAND_H
#define TANDEM_WORKER_COMMAND_H

#include "common/command.h"
#include "consumers/worker/kind.h"

/* Runs a worker until a signal, or until the end with --exit-at-end; `own` is a
 * struct worker_options, filled by worker_command_options. The exit status. */
int worker_run(const struct config *config, const struct kind *kind, const void *own,
               struct error *err);
extern const struct command_option worker_command_options[];

extern const struct command sales_worker_command, service_worker_command;

#endif
