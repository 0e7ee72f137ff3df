/* emit.h - `tandem emit`: newline-delimited events into Kafka, each checked before it is sent. */
#ifndef TANDEM_EMIT_H
#define TANDEM_EMIT_H

#include "common/command.h"

extern const struct command emit_command;

#endif
