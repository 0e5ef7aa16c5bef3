# health.sh WHAT [ARGUMENT...]: one measurement of health checkers, on a throwaway machine. What it prints is
# `NAME KEY=VALUE...`.
set -eu
port=18080
cd /run
mkdir -p bench
bench=/usr/local/lib/bench
# Whoever shares a processor with the server is interrupted by it at each request, and whether somebody does is decided
# by chance once and for long: that made a tenth of a difference between one run and the next. So all checkers have one
# processor, and the server has the other.
if [ "$(nproc)" -gt 1 ]; then
    affinity=CPUAffinity=1
    taskset --cpu-list --pid 0 $$ >/dev/null
else
    affinity=
fi

# How many requests the server has answered.
asked() { curl -sS http://127.0.0.1:$port/count; }
# Nanoseconds of CPU of all threads of a process.
cpu() { cat /proc/"$1"/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f", sum }'; }
kib() { awk -v name="$2:" '$1 == name { print $2 }' /proc/"$1"/"$3"; }
# Microseconds of CPU of the whole machine.
machine() { awk '$1 == "usage_usec" { print $2 }' /sys/fs/cgroup/cpu.stat; }

# NAME PID SECONDS: what a check costs the process that makes them.
measure() {
    before=$(cpu "$2") first=$(asked)
    sleep "$3"
    after=$(cpu "$2") last=$(asked)
    echo "$1" cpu=$((after - before)) checks=$((last - first - 1)) rss="$(kib "$2" VmRSS status)" \
        dirty="$(kib "$2" Private_Dirty smaps_rollup)"
}

# TARGETS INTERVAL [OPTION...]: starts ours.
ours() {
    units=$(seq -f "--unit target@%.0f.service=http://127.0.0.1:$port/healthz" "$1")
    interval=$2
    shift 2
    # shellcheck disable=SC2086 # Many words.
    conductor-health watch $units --interval "$interval" --timeout 2s "$@" 2>bench/log &
    pid=$!
}

# TARGETS INTERVAL: starts HAProxy.
haproxy_() {
    {
        printf 'global\n nbthread 1\ndefaults\n mode http\n timeout connect 2s\n timeout check 2s\n timeout server 2s\n'
        # It does not run without something to listen on.
        printf 'frontend unused\n bind 127.0.0.1:18081\n default_backend targets\n'
        printf 'backend targets\n option httpchk\n http-check send meth GET uri /healthz ver HTTP/1.1 '
        printf 'hdr Host 127.0.0.1 hdr Accept */* hdr User-Agent haproxy\n'
        seq -f " server s%.0f 127.0.0.1:$port check inter $2" "$1"
    } >bench/haproxy.cfg
    haproxy -db -f bench/haproxy.cfg >bench/log 2>&1 &
    pid=$!
}

end() {
    kill "$pid"
    wait "$pid" || true
}

case $1 in
prepare) # TARGETS
    cat >/run/systemd/system/target@.service <<'END'
[Service]
ExecStart=/bin/sleep infinity
END
    cat >/run/systemd/system/victim.service <<'END'
[Unit]
StartLimitIntervalSec=0
[Service]
ExecStart=/bin/sleep infinity
Restart=always
RestartSec=100ms
END
    cat >/run/systemd/system/server.service <<END
[Service]
ExecStart=$bench/check serve $port
$affinity
END
    systemctl daemon-reload
    # shellcheck disable=SC2046 # Many words.
    systemctl start server.service $(seq -f 'target@%.0f.service' "$2")
    podman run --quiet --detach --name checked --health-interval disable \
        --health-cmd 'busybox wget -q -O /dev/null http://127.0.0.1:8080/healthz' localhost/web:1 payload >/dev/null
    until podman healthcheck run checked >/dev/null 2>&1; do sleep 0.2; done
    ;;
ours) # NAME TARGETS INTERVAL SECONDS [OPTION...]
    name=$2 targets=$3 interval=$4 seconds=$5
    shift 5
    ours "$targets" "$interval" "$@"
    # Until each target has had its first check, which is after systemd has told of all of them.
    already=$(asked)
    for _ in $(seq 300); do
        [ "$(asked)" -le $((already + 2 * targets)) ] || break
        sleep 0.2
    done
    sleep 2
    measure "$name" "$pid" "$seconds"
    end
    ! grep -E 'failing|neither|unhealthy' bench/log >&2
    ;;
haproxy) # NAME TARGETS INTERVAL SECONDS
    haproxy_ "$3" "$4"
    sleep 4
    kill -0 "$pid" || { cat bench/log >&2; exit 1; }
    measure "$2" "$pid" "$5"
    end
    ! grep DOWN bench/log >&2
    ;;
floor) # NAME RATE SECONDS [keep]
    name=$2 checks=$(($3 * $4))
    rate=$3
    shift 4
    "$bench/check" ask $port $checks "$rate" "$@" |
        awk -v name="$name" -v checks=$checks '{ printf "%s cpu=%.0f checks=%d failed=%s\n", name, $1 * 1000 * checks, checks, $7 }'
    ;;
podman) # NAME CHECKS
    before=$(machine)
    for _ in $(seq "$3"); do podman healthcheck run checked; done
    echo "$2" cpu=$((($(machine) - before) * 1000)) checks="$3"
    ;;
calls) # NAME: system calls of ours while all is healthy
    ours 10 10ms
    sleep 4
    timeout 4 strace --follow-forks --decode-fds=all --attach "$pid" --output=bench/trace 2>bench/strace || true
    end
    count() { grep -cE "$1" bench/trace || true; }
    echo "$2" checks="$(count 'GET /healthz')" calls="$(count '^[0-9]+ +[a-z_0-9]+\(')" \
        forks="$(count '^[0-9]+ +(clone3?|v?fork|execve)\(')" bus="$(count '<UNIX')"
    echo "names $(sed -nE 's/^[0-9]+ +([a-z_0-9]+)\(.*/\1/p' bench/trace | sort | uniq -c | sort -rn |
        awk '{ printf "%s=%s ", $2, $1 }')"
    ;;
latency) # NAME SAMPLES
    systemctl start victim.service
    rm -f bench/lines && mkfifo bench/lines
    "$bench/stamp" <bench/lines >bench/log &
    conductor-health watch --unit victim.service=http://127.0.0.1:1/ --interval 200ms --start-within 100ms \
        --max-signals 100000 2>bench/lines &
    pid=$!
    until [ "$(grep -c 'SIGTERM sent' bench/log)" -ge "$3" ]; do sleep 0.2; done
    end
    systemctl stop victim.service
    awk -v name="$2" '/-> terminating/ { at = $1 } /SIGTERM sent/ && at { print name, "microseconds=" $1 - at; at = 0 }' bench/log
    ;;
ports) # NAME TARGETS INTERVAL SECONDS REUSE CLOSES: so many checks a second of one address
    echo "$6" >/proc/sys/net/ipv4/tcp_tw_reuse
    [ "$7" = server ] || systemctl set-environment STAY=1
    systemctl restart server.service
    ours "$3" "$4"
    sleep 4
    measure "$2" "$pid" "$5" >bench/cost
    waiting=$(awk '$4 == "06"' /proc/net/tcp | wc -l)
    end
    systemctl unset-environment STAY
    systemctl restart server.service
    echo 2 >/proc/sys/net/ipv4/tcp_tw_reuse
    echo "$(cat bench/cost) waiting=$waiting unknown=$(grep -c neither bench/log || true) \
failed=$(grep -cE 'failing|unhealthy' bench/log || true)"
    ;;
esac
