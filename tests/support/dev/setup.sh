#!/usr/bin/env bash
# Installs what building and testing need; does nothing, quickly, when all is there. --quiet says only what it does.
#
# All packages come before any server is started: installing libpq may upgrade a PostgreSQL that is running.
set -euo pipefail

cd "$(dirname "$(readlink -f "$0")")/../../.."
quiet=${1:-}

packages=(
    libpqxx-dev libpq-dev libboost-program-options-dev nlohmann-json3-dev libcurl4-openssl-dev libfmt-dev
    libcpp-httplib-dev prometheus-cpp-dev libre2-dev libkainjow-mustache-dev libidn2-dev libssl-dev libyaml-cpp-dev
    g++ cmake ninja-build pkg-config ccache git ca-certificates openssl
    postgresql-15 postgresql-client-15 postgresql-15-pgtap
    libgtest-dev libgmock-dev json-schema-test-suite clang-format clang-tidy clang libclang-rt-14-dev
    spin iproute2 nftables mount pgbouncer libfaketime curl postfix dovecot-imapd lighttpd openssh-server openssh-client
    chromium-headless-shell zsh tmux groff-base dpkg-dev file fakeroot prometheus systemd openjdk-17-jre-headless
    python3 python3-psycopg2 python3-psycopg python3-croniter python3-yaml perl util-linux procps passwd
)

if [ "$(id -u)" = 0 ]; then as_root=(); else as_root=(sudo); fi

missing=()
for package in "${packages[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
# The npm that is there may be anybody's; Debian's is taken only when there is none.
command -v npm >/dev/null || missing+=(npm)

if [ ${#missing[@]} -gt 0 ]; then
    echo "setup: installing ${missing[*]}"
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        # Debian would make and start a cluster of its own on installation; these scripts need none.
        "${as_root[@]}" install -d /etc/postgresql-common
        echo 'create_main_cluster = false' | "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
    fi
    # postfix and dovecot run only within a test, by its own configuration: installing them must start no mail server.
    # Of prometheus only promtool is wanted.
    echo 'postfix postfix/main_mailer_type select No configuration' | "${as_root[@]}" debconf-set-selections
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee /usr/sbin/policy-rc.d >/dev/null
        "${as_root[@]}" chmod 755 /usr/sbin/policy-rc.d
        trap '"${as_root[@]}" rm -f /usr/sbin/policy-rc.d' EXIT
    fi
    log=$(mktemp)
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=300 "${missing[@]}" >"$log" 2>&1 ||
        { tail -n 30 "$log" >&2; exit 1; }
    rm -f "$log"
    # Nor at the next start of this machine, unless it was there before.
    if [[ " ${missing[*]} " == *" prometheus "* ]]; then "${as_root[@]}" systemctl disable -q prometheus || true; fi
fi

if ! id millrace-dev >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    echo "setup: adding the system user millrace-dev, because PostgreSQL refuses to run as root"
    useradd --system --user-group --no-create-home --shell /usr/sbin/nologin millrace-dev
fi

npm_dir=tests/support/npm
stamp=$npm_dir/node_modules/.installed
if ! cmp -s "$npm_dir/package-lock.json" "$stamp"; then
    echo "setup: installing the test servers from npm"
    (cd "$npm_dir" && npm ci --no-audit --no-fund --loglevel=error)
    cp "$npm_dir/package-lock.json" "$stamp"
fi
[ "$quiet" = --quiet ] || echo "setup: everything is there"
