/*
 * Allocates an image with sd-bus, maps it, and checks that it is zeroed.
 *
 *   cc -o allocate allocate.c $(pkg-config --cflags --libs libsystemd)
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <systemd/sd-bus.h>

static int refuse(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, strerror(-error));
	return 1;
}

static int check(int fd, uint64_t size)
{
	const unsigned char *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (bytes == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	for (uint64_t i = 0; i < size; i++)
		if (bytes[i] != 0) {
			fprintf(stderr, "byte %llu is not zero\n", (unsigned long long)i);
			return 1;
		}
	printf("size %llu bytes, zeroed\n", (unsigned long long)size);
	munmap((void *)bytes, size);
	return 0;
}

int main(int argc, char **argv)
{
	sd_bus *bus = NULL;
	sd_bus_message *call = NULL, *reply = NULL;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	const char *allocation, *key;
	uint64_t size = 0;
	int fd, r;

	if (argc > 1 && strcmp(argv[1], "--system") == 0)
		r = sd_bus_default_system(&bus);
	else
		r = sd_bus_default_user(&bus);
	if (r < 0)
		return refuse("bus", r);
	r = sd_bus_message_new_method_call(bus, &call, "org.dmabroker1", "/org/dmabroker1", "org.dmabroker1.Broker",
					   "Allocate");
	if (r >= 0)
		r = sd_bus_message_append(call, "a(sa{sv})a{sv}", 1, "cpu", 1, "uses", "as", 2, "read", "write", 3,
					  "width", "u", 640, "height", "u", 480, "format", "s", "XR24");
	if (r < 0)
		return refuse("call", r);
	r = sd_bus_call(bus, call, 0, &error, &reply);
	if (r < 0) {
		fprintf(stderr, "%s: %s\n", error.name, error.message);
		return 1;
	}
	if ((r = sd_bus_message_read(reply, "o", &allocation)) < 0 ||
	    (r = sd_bus_message_enter_container(reply, 'a', "{sv}")) < 0)
		return refuse("reply", r);
	while ((r = sd_bus_message_enter_container(reply, 'e', "sv")) > 0) {
		if ((r = sd_bus_message_read(reply, "s", &key)) < 0)
			return refuse("key", r);
		r = strcmp(key, "size") == 0 ? sd_bus_message_read(reply, "v", "t", &size)
					     : sd_bus_message_skip(reply, "v");
		if (r < 0 || (r = sd_bus_message_exit_container(reply)) < 0)
			return refuse(key, r);
	}
	if (r < 0 || (r = sd_bus_message_exit_container(reply)) < 0 ||
	    (r = sd_bus_message_enter_container(reply, 'a', "h")) < 0 || (r = sd_bus_message_read(reply, "h", &fd)) < 0)
		return refuse("fds", r);
	/* The descriptor belongs to the reply: duplicate it to keep it longer. */
	r = check(fd, size);
	sd_bus_error_free(&error);
	sd_bus_message_unref(reply);
	sd_bus_message_unref(call);
	sd_bus_flush_close_unref(bus);
	return r;
}
