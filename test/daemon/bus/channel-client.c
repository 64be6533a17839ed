/* A client on sd-bus that opens a channel, and allocates, lists and releases over it. Prints what it got, a line each. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define OBJECT "/org/dmabroker1", "org.dmabroker1.Broker"

static int fail(const char *what, int error, const sd_bus_error *said) {
  fprintf(stderr, "%s: %s %s\n", what, strerror(-error), said->message ? said->message : "");
  return 1;
}

int main(int count, char **values) {
  sd_bus *bus = NULL, *channel = NULL;
  sd_bus_message *reply = NULL;
  sd_bus_error error = SD_BUS_ERROR_NULL;
  const char *path;
  int fd, result;
  unsigned most;

  if (count != 3) return 2;
  sd_bus_new(&bus);
  sd_bus_set_address(bus, values[1]);
  sd_bus_set_bus_client(bus, 1);
  if ((result = sd_bus_start(bus)) < 0) return fail("bus", result, &error);
  result = sd_bus_call_method(bus, values[2], OBJECT, "OpenChannel", &error, &reply, "a{sv}", 0);
  if (result < 0) return fail("OpenChannel", result, &error);
  if ((result = sd_bus_message_read(reply, "h", &fd)) < 0) return fail("socket", result, &error);
  fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);

  sd_bus_new(&channel);
  sd_bus_set_fd(channel, fd, fd);
  sd_bus_set_bus_client(channel, 0);
  sd_bus_negotiate_fds(channel, 1);
  if ((result = sd_bus_start(channel)) < 0) return fail("channel", result, &error);
  result = sd_bus_get_property_trivial(channel, NULL, OBJECT, "MaxFdsPerReply", &error, 'u', &most);
  if (result < 0) return fail("MaxFdsPerReply", result, &error);
  printf("%u\n", most);
  result = sd_bus_call_method(channel, NULL, OBJECT, "Allocate", &error, &reply, "a(sa{sv})a{sv}", 1, "cpu", 0, 2, "size",
                              "t", (uint64_t)4096, "count", "u", 64u);
  if (result < 0) return fail("Allocate", result, &error);
  if ((result = sd_bus_message_read(reply, "o", &path)) < 0) return fail("path", result, &error);
  sd_bus_message_skip(reply, "a{sv}");
  sd_bus_message_enter_container(reply, 'a', "h");
  for (count = 0; sd_bus_message_read(reply, "h", &fd) > 0; count++)
    if (fcntl(fd, F_GETFD) < 0) return 1;
  printf("%d\n", count);
  result = sd_bus_call_method(bus, values[2], OBJECT, "Release", &error, NULL, "o", path);
  if (result < 0) return fail("Release", result, &error);
  result = sd_bus_call_method(channel, NULL, OBJECT, "Reload", &error, NULL, "");
  printf("%s\n", error.name ? error.name : "no error");
  return result < 0 ? 0 : 1;
}
