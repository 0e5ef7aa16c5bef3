#!/bin/sh
# One deploy behind nginx, by us or by a script that somebody wrote by hand, in the same steps. Prints
# `NAME STEP=MILLISECONDS...`; `total` is from outside, process start and end included.
#
# deploy.sh prepare
# deploy.sh ours NAME REVISION
# deploy.sh script NAME REVISION
set -eu

settle=2 site=8000 listen=8001
upstream=/run/bench/upstream.conf

now() { echo $(($(date +%s%N) / 1000000)); }

# The time since the last call.
lap() {
    t=$(now)
    laps="$laps $1=$((t - last))"
    last=$t
}

workers() { pgrep -P "$(cat /run/nginx.pid)" -f "nginx: worker process$1" || true; }

case $1 in
prepare)
    mkdir -p /run/bench /etc/conductor/services
    cat >/etc/conductor/services/web.toml <<END
image = "localhost/web:1"
revision = "0"
hostname = "r\${revision}"
command = ["payload"]
[[ports]]
container = 8080
host = 20000
[health]
path = "/healthz"
interval = "1s"
timeout = "1s"
[deploy]
settle = "${settle}s"
[proxy]
upstream = "web"
END
    echo 'upstream script { server 127.0.0.1:21000; }' >$upstream
    cat >/etc/nginx/conf.d/site.conf <<END
include /run/bench/*.conf;
server { listen 127.0.0.1:$site; location / { proxy_pass http://web; } }
server { listen 127.0.0.1:$listen; location / { proxy_pass http://script; } }
END
    systemctl daemon-reload
    systemctl start web.target
    systemctl restart nginx
    podman run --detach --name script-0 --hostname r0 --publish 127.0.0.1:21000:8080 localhost/web:1 payload >/dev/null
    until curl -sf -o /dev/null http://127.0.0.1:21000/healthz; do sleep 0.05; done
    echo 0 >/run/bench/live
    ;;
ours)
    begin=$(now)
    conductor deploy web --revision "$3" --json >/run/bench/events
    total=$(($(now) - begin))
    # In each line, a moment: `{"at":12,"step":"freeze","state":"begins",...}`. Of the switch, what nginx takes from being
    # told to reload until its old workers take no more requests is waited for; the script has that in `drain`.
    moved=$(sed -nE 's/.*"moved in ([0-9]+) ms".*/\1/p' /run/bench/events)
    sed -E 's/.*"at":([0-9]+),"step":"([a-z-]+)","state":"([a-z]+)".*/\1 \2 \3/' /run/bench/events |
        awk -v name="$2" -v total="$total" -v moved="$moved" '
            $3 == "begins" { begin[$2] = $1 }
            $3 == "done" { took = took " " $2 "=" $1 - begin[$2] - ($2 == "switch" ? moved : 0) }
            END { print name, "total=" total took, "reload=" moved }'
    test "$(curl -sf http://127.0.0.1:$site/env | grep HOSTNAME)" = "HOSTNAME=r$3"
    ;;
script)
    begin=$(now) last=$begin laps=
    old=$(cat /run/bench/live)
    new=$((1 - old))
    port=$((21000 + new))
    podman image inspect localhost/web:1 >/dev/null
    nginx -t 2>/dev/null
    lap prepare
    podman run --detach --replace --name script-$new --hostname "r$3" --publish 127.0.0.1:$port:8080 localhost/web:1 payload >/dev/null
    until curl -sf -o /dev/null http://127.0.0.1:$port/healthz; do sleep 0.05; done
    lap start
    end=$((last + settle * 1000))
    while curl -sf -o /dev/null http://127.0.0.1:$port/healthz || exit 1; do
        left=$((end - $(now)))
        [ $left -gt 0 ] || break
        [ $left -lt 1000 ] || left=1000
        sleep "$(awk "BEGIN { print $left / 1000 }")"
    done
    lap settle
    before=$(workers '$')
    echo "upstream script { server 127.0.0.1:$port; }" >$upstream.new
    mv $upstream.new $upstream
    nginx -t 2>/dev/null
    nginx -s reload
    lap switch
    for worker in $before; do
        while kill -0 "$worker" 2>/dev/null; do sleep 0.02; done
    done
    lap drain
    echo $new >/run/bench/live
    podman stop script-"$old" >/dev/null
    podman rm script-"$old" >/dev/null
    lap stop-old
    echo "$2 total=$(($(now) - begin))$laps"
    test "$(curl -sf http://127.0.0.1:$listen/env | grep HOSTNAME)" = "HOSTNAME=r$3"
    ;;
esac
