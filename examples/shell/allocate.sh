#!/bin/sh
# Allocates an image with nothing but busctl. The memory is taken back when busctl leaves the bus.
set -eu
case "${1-}" in
--system) bus=--system ;;
*) bus=--user ;;
esac
busctl "$bus" call org.dmabroker1 /org/dmabroker1 org.dmabroker1.Broker Allocate 'a(sa{sv})a{sv}' \
	1 cpu 1 uses as 2 read write \
	3 width u 640 height u 480 format s XR24
