/* SPDX-License-Identifier: MIT
 * The connection to the bus: one of our own, for as long as the broker is open. */
#include "private.h"

#include <sys/stat.h>
#include <unistd.h>

#define MATCH_OWNER                                                                                                     \
	"type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',interface='org.freedesktop.DBus',"     \
	"member='NameOwnerChanged',arg0='" SERVICE "'"

static const uint64_t DEFAULT_TIMEOUT = 5 * UINT64_C(1000000);

static int on_owner(sd_bus_message *m, void *data, sd_bus_error *error)
{
	struct dmabroker *broker = data;
	const char *name, *before, *now;
	(void)error;
	if (sd_bus_message_read(m, "sss", &name, &before, &now) < 0)
		return 0;
	if (now[0] == '\0' && broker->present)
		broker->absent_since = now_usec();
	broker->present = now[0] != '\0';
	return 0;
}

static int start_at(sd_bus **bus, const char *address)
{
	int r = sd_bus_new(bus);
	if (r < 0)
		return r;
	if ((r = sd_bus_set_address(*bus, address)) < 0 || (r = sd_bus_set_bus_client(*bus, 1)) < 0 ||
	    (r = sd_bus_negotiate_fds(*bus, 1)) < 0)
		return r;
	return sd_bus_start(*bus);
}

static int connect_bus(struct dmabroker *broker, const char *bus)
{
	int r;
	if (bus == NULL)
		bus = secure_getenv("DMABROKER_BUS");
	if (bus == NULL || bus[0] == '\0' || strcmp(bus, "system") == 0)
		r = sd_bus_open_system(&broker->bus);
	else if (strcmp(bus, "session") == 0)
		r = sd_bus_open_user(&broker->bus);
	else
		r = start_at(&broker->bus, bus);
	if (r < 0)
		return r == -EINVAL || r == -ENOMEM || r == -EMFILE ? r : -ENOTCONN;
	if ((broker->fd = sd_bus_get_fd(broker->bus)) < 0)
		return -ENOTCONN;
	r = sd_bus_add_match_async(broker->bus, NULL, MATCH_OWNER, on_owner, NULL, broker);
	return r < 0 && r != -ENOMEM ? -ENOTCONN : r;
}

static int start_service(struct dmabroker *broker)
{
	struct job *job;
	int r = job_new(&job, broker, JOB_START);
	if (r < 0)
		return r;
	r = job_wait(job);
	job_leave(job);
	return r;
}

int dmabroker_open(struct dmabroker **broker, const char *bus)
{
	if (broker == NULL)
		return -EINVAL;
	*broker = NULL;
	struct dmabroker *new = calloc(1, sizeof *new);
	if (new == NULL)
		return -ENOMEM;
	new->pid = getpid();
	new->timeout = DEFAULT_TIMEOUT;
	int r = connect_bus(new, bus);
	if (r >= 0)
		r = start_service(new);
	if (r < 0)
		dmabroker_close(new);
	else
		*broker = new;
	return r < 0 ? r : 0;
}

/* Frees the bus and closes its socket, but sends nothing over it: it is the parent's, too. Some versions of sd-bus do not
 * close it in a child. */
static void forget_bus(struct dmabroker *broker)
{
	struct stat before, now;
	const bool known = broker->bus != NULL && fstat(broker->fd, &before) == 0;
	sd_bus_unref(broker->bus);
	if (known && fstat(broker->fd, &now) == 0 && now.st_dev == before.st_dev && now.st_ino == before.st_ino)
		close(broker->fd);
}

void dmabroker_close(struct dmabroker *broker)
{
	if (broker == NULL)
		return;
	while (broker->jobs != NULL)
		job_free(broker->jobs);
	while (broker->allocations != NULL)
		allocation_free(broker->allocations);
	while (broker->to_release != NULL) {
		struct held_path *next = broker->to_release->next;
		free(broker->to_release->path);
		free(broker->to_release);
		broker->to_release = next;
	}
	/* The service releases what a connection had when it ends. */
	if (is_child(broker))
		forget_bus(broker);
	else
		sd_bus_close_unref(broker->bus);
	constraints_free(&broker->conflict);
	free(broker->error);
	free(broker);
}

int dmabroker_set_timeout(struct dmabroker *broker, uint64_t usec)
{
	int r = check_usable(broker);
	if (r < 0)
		return r;
	if (usec == 0)
		return refuse(broker, -EINVAL, "a timeout is at least 1 microsecond");
	broker->timeout = usec;
	return 0;
}
