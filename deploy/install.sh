#!/bin/sh
# Installs the binary beside this script and its systemd units; run it as root, and again to upgrade: sh install.sh
# DESTDIR puts everything below another directory. /etc/muster/muster.env is written only when it is not there.
set -eu
cd "$(dirname "$0")"
root=${DESTDIR:-}

if [ -z "$root" ] && [ "$(id -u)" != 0 ]; then
	echo "install.sh: run it as root, such as with sudo, or set DESTDIR" >&2
	exit 1
fi
# A binary for another machine must not replace one that works.
./muster version >/dev/null || { echo "install.sh: ./muster does not run here; is the archive for this machine ($(uname -m))?" >&2; exit 1; }

mkdir -p "$root/usr/local/bin" "$root/usr/local/sbin" "$root/etc/systemd/system" "$root/etc/muster"
# Renaming lets a running server keep its file.
cp muster "$root/usr/local/bin/muster.new"
chmod 755 "$root/usr/local/bin/muster.new"
mv "$root/usr/local/bin/muster.new" "$root/usr/local/bin/muster"
cp muster-run "$root/usr/local/sbin/muster-run"
chmod 755 "$root/usr/local/sbin/muster-run"
for unit in muster.service muster-backup.service muster-backup.timer; do
	cp "$unit" "$root/etc/systemd/system/$unit"
	chmod 644 "$root/etc/systemd/system/$unit"
done
if [ ! -e "$root/etc/muster/muster.env" ]; then
	cp muster.env "$root/etc/muster/muster.env"
	chmod 600 "$root/etc/muster/muster.env"
fi
if [ -z "$root" ] && [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	systemctl try-restart muster.service
fi
echo "Installed $("$root/usr/local/bin/muster" version). Set the values in $root/etc/muster/muster.env, then: systemctl enable --now muster muster-backup.timer"
