/* worker_command.h - `tandem sales-worker` and `tandem service-worker`. */
#ifndef TANDEM_WORKER_COMMAND_H
#define TANDEM_WORKER_COMMAND_H

#include "common/command.h"

extern const struct command sales_worker_command, service_worker_command;

#endif
