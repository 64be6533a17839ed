/* SPDX-License-Identifier: MIT
 * Names of errors, and the text of the latest refusal. */
#include "private.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define SERVICE_ERROR "org.dmabroker1.Error."
#define BUS_ERROR "org.freedesktop.DBus.Error."

static const struct {
	const char *name;
	int error;
} errors[] = {
	{ SERVICE_ERROR "InvalidRequest", -EINVAL },
	{ SERVICE_ERROR "UnknownDevice", -ENODEV },
	{ SERVICE_ERROR "UnsupportedFormat", -EPROTONOSUPPORT },
	{ SERVICE_ERROR "Conflict", -ENOTSUP },
	{ SERVICE_ERROR "QuotaExceeded", -EDQUOT },
	{ SERVICE_ERROR "PoolExhausted", -ENOMEM },
	{ SERVICE_ERROR "TooManyBuffers", -E2BIG },
	{ SERVICE_ERROR "AccessDenied", -EACCES },
	{ SERVICE_ERROR "UnknownAllocation", -ENOENT },
	{ SERVICE_ERROR "Unavailable", -EAGAIN },
	{ SERVICE_ERROR "Internal", -EIO },
	{ BUS_ERROR "AccessDenied", -EACCES },
	{ BUS_ERROR "LimitsExceeded", -EAGAIN },
	{ BUS_ERROR "NoMemory", -EAGAIN },
	{ BUS_ERROR "Timeout", -ETIMEDOUT },
	{ BUS_ERROR "TimedOut", -ETIMEDOUT },
	{ BUS_ERROR "Disconnected", -ENOTCONN },
};

int errno_of(const char *error_name)
{
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
		if (strcmp(errors[i].name, error_name) == 0)
			return errors[i].error;
	return says_absent(error_name) ? -EHOSTUNREACH : -EIO;
}

/* The name has no owner, and the bus or systemd, which starts units for it, could not make one. */
bool says_absent(const char *error_name)
{
	static const char *const prefixes[] = { BUS_ERROR "Spawn.", "org.freedesktop.systemd1." };
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
		if (strncmp(error_name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return strcmp(error_name, SD_BUS_ERROR_SERVICE_UNKNOWN) == 0 ||
	       strcmp(error_name, SD_BUS_ERROR_NAME_HAS_NO_OWNER) == 0;
}

int refuse(struct dmabroker *broker, int error, const char *format, ...)
{
	va_list arguments;
	free(broker->error);
	constraints_free(&broker->conflict);
	va_start(arguments, format);
	if (vasprintf(&broker->error, format, arguments) < 0)
		broker->error = NULL;
	va_end(arguments);
	broker->refused = true;
	return error;
}

bool is_child(const struct dmabroker *broker)
{
	return broker->pid != getpid();
}

int check_usable(struct dmabroker *broker)
{
	if (broker == NULL)
		return -EINVAL;
	if (is_child(broker))
		return refuse(broker, -ECHILD, "the broker belongs to process %ld, which forked this one", (long)broker->pid);
	if (broker->gone)
		return refuse(broker, -ENOTCONN, "the connection to the bus has ended");
	return 0;
}

const char *dmabroker_error(struct dmabroker *broker)
{
	if (broker == NULL)
		return "there is no broker";
	if (broker->error != NULL)
		return broker->error;
	return broker->refused ? "no memory is left for a text" : "nothing was refused";
}

int dmabroker_error_constraints(struct dmabroker *broker, const struct dmabroker_constraint **constraints)
{
	if (constraints != NULL)
		*constraints = NULL;
	if (broker == NULL || constraints == NULL)
		return -EINVAL;
	*constraints = broker->conflict.all;
	return (int)broker->conflict.n;
}
