/* import.h - `tandem import`: a CSV file becomes events. */
#ifndef TANDEM_IMPORT_H
#define TANDEM_IMPORT_H

#include "common/command.h"

extern const struct command import_command;

#endif
