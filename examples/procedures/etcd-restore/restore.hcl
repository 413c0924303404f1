# Restore a three-member etcd cluster from a snapshot after quorum was lost.
# Do not use it while a majority is healthy: replacing one member is right then, and the first assertion says so.

runbook "etcd-restore" {
  title     = "Restore etcd from a snapshot after loss of quorum"
  service   = "etcd"
  owner     = "platform@example.org"
  version   = "1.3.0"
  review_by = "2027-06-30"

  exercise {
    type              = "restore-test"
    production_impact = "none"
  }
  scenario {
    title       = "Two of three members lost for good"
    severity    = "severe"
    assumptions = ["the backup host is reachable", "the newest snapshot is readable"]
  }

  variable "snapshot_dir" {
    type    = string
    default = "/srv/backup/etcd"
  }
  variable "token" {
    type        = string
    description = "Cluster token of the restored cluster; a new one keeps old members out."
    default     = "etcd-restored-1"
  }
  variable "max_snapshot_age_s" {
    type    = number
    default = 3600
    validation {
      condition = var.max_snapshot_age_s > 0
      message   = "must be positive"
    }
  }

  locals {
    members   = group.members
    cluster   = join(",", [for h in group.members : "${h.name}=${h.labels.peer_url}"])
    bump_args = decision.revision.choice == "bump" ? ["--bump-revision", "1000000000", "--mark-compacted"] : []
    data_dir  = "/var/lib/etcd"
    snapshot  = "/var/tmp/etcd-restore.snap"
  }

  mark "disruption" {}
  mark "declared" {}

  objective "rto" {
    target = "1h"
    from   = "declared"
    to     = "verified"
  }
  objective "rpo" {
    target         = "1h"
    recovery_point = check.newest-snapshot.taken_at
  }

  phase "confirm" {
    check "health" {
      hosts         = local.members
      argv          = ["etcdctl", "endpoint", "health", "--command-timeout=5s"]
      success_codes = "any"
      timeout       = "30s"
      tolerate      = ["unreachable", "timed-out"]
      capture "healthy" {
        value = result.exit_code == 0
        type  = bool
      }
    }
    assert "quorum-is-lost" {
      condition = length([for r in values(check.health.by_host) : r if try(r.healthy, false)]) < 2
      message   = "a majority of the members is healthy: replace the failed member instead of restoring"
    }
    check "newest-snapshot" {
      hosts       = host.backup-1
      script      = file("scripts/newest-snapshot.sh")
      interpreter = ["/bin/bash", "-euo", "pipefail"]
      env         = { SNAPSHOT_DIR = var.snapshot_dir }
      capture "path" { value = jsondecode(result.stdout).path }
      capture "sha256" { value = jsondecode(result.stdout).sha256 }
      capture "taken_at" { value = jsondecode(result.stdout).taken_at }
      capture "age_s" {
        value = jsondecode(result.stdout).age_s
        type  = number
      }
      capture "keys" {
        value = jsondecode(result.stdout).keys
        type  = number
      }
      capture "hashed" {
        value = jsondecode(result.stdout).hashed
        type  = bool
      }
      expect {
        condition = result.age_s <= var.max_snapshot_age_s
        message   = "the newest snapshot is ${result.age_s} s old"
      }
    }
  }

  phase "decide" {
    decision "revision" {
      question = "Do Kubernetes or other watchers use this cluster? Then the revision must be bumped, or they act on stale caches."
      role     = role.platform-engineer
      options  = ["bump", "keep"]
    }
    gate "restore" {
      question  = "Restore ${check.newest-snapshot.path}? The last ${check.newest-snapshot.age_s} s of writes are lost.${check.newest-snapshot.hashed ? "" : " The snapshot has no hash: its integrity was not checked."}"
      role      = role.major-incident-manager
      approvals = 2
      expires   = "30m"
      recheck   = [check.health]
    }
  }

  phase "restore" {
    hosts      = local.members
    become     = "root"
    on_failure = "rollback" # the old data comes back under its name, as long as no member has started

    step "stop" {
      argv       = ["systemctl", "stop", "etcd"]
      requires   = [gate.restore]
      timeout    = "2m"
      idempotent = true
      rollout { batch = "100%" }
      rollback { argv = ["systemctl", "start", "etcd"] }
    }
    step "keep-old-data" {
      script     = <<-EOT
        test -d "$DATA" || exit 0
        mv -- "$DATA" "$DATA.before-$RUN"
      EOT
      env        = { DATA = local.data_dir, RUN = run.id }
      timeout    = "1m"
      idempotent = true
      rollout { batch = "100%" }
      rollback {
        script = <<-EOT
          test -d "$DATA.before-$RUN" || exit 0
          rm -rf -- "$DATA"
          mv -- "$DATA.before-$RUN" "$DATA"
        EOT
      }
    }
    transfer "snapshot" {
      from {
        host   = host.backup-1
        path   = check.newest-snapshot.path
        sha256 = check.newest-snapshot.sha256
      }
      destination = local.snapshot
      mode        = "0600"
      timeout     = "20m"
      idempotent  = true
      rollout { batch = "100%" }
    }
    step "restore" {
      argv = concat(
        [
          "etcdutl", "snapshot", "restore", local.snapshot,
          "--name", self.name,
          "--initial-cluster", local.cluster,
          "--initial-cluster-token", var.token,
          "--initial-advertise-peer-urls", self.labels.peer_url,
          "--data-dir", local.data_dir,
        ],
        check.newest-snapshot.hashed ? [] : ["--skip-hash-check"],
        local.bump_args,
      )
      timeout = "15m"
      rollout { batch = "100%" }
      verify { argv = ["test", "-d", "${local.data_dir}/member/wal"] } # written last
      rollback {
        script = "rm -rf -- \"$DATA\""
        env    = { DATA = local.data_dir }
      }
    }
    step "start" {
      # All at once: the first member blocks until a second one answers.
      argv         = ["systemctl", "start", "etcd"]
      timeout      = "3m"
      requires     = [gate.restore]
      irreversible = true
      marks        = ["recovered"]
      rollout { batch = "100%" }
      verify {
        argv = ["etcdctl", "endpoint", "health", "--command-timeout=5s"]
        poll {
          every  = "3s"
          within = "60s"
        }
      }
    }
  }

  phase "verify" {
    check "member-list" {
      hosts = host.etcd-1
      argv  = ["etcdctl", "member", "list", "-w", "json"]
      expect {
        condition = length(jsondecode(result.stdout).members) == 3
        message   = "not three members"
      }
    }
    step "probe-write" {
      hosts      = host.etcd-1
      argv       = ["etcdctl", "put", "continuo/probe", run.id]
      timeout    = "30s"
      idempotent = true
      rollback { argv = ["etcdctl", "del", "continuo/probe"] }
    }
    check "probe-read" {
      hosts = local.members
      argv  = ["etcdctl", "get", "continuo/probe", "--print-value-only"]
      expect {
        condition = result.stdout == run.id
        message   = "${self.name} does not serve the probe that was just written"
      }
    }
    check "key-count" {
      hosts = host.etcd-1
      argv  = ["etcdctl", "get", "", "--prefix", "--count-only", "-w", "json"]
      capture "keys" {
        value = jsondecode(result.stdout).count
        type  = number
      }
      expect {
        condition = result.keys >= check.newest-snapshot.keys
        message   = "${result.keys} keys, the snapshot had ${check.newest-snapshot.keys}"
      }
    }
    manual "api-servers" {
      instructions = "Restart the Kubernetes API servers, one at a time, and wait until each reports ready."
      owner        = "platform@example.org"
      role         = role.platform-engineer
      marks        = ["verified"]
    }
  }

  cleanup {
    step "remove-probe" {
      hosts      = host.etcd-1
      argv       = ["etcdctl", "del", "continuo/probe"]
      timeout    = "30s"
      idempotent = true
    }
    step "remove-snapshot-copies" {
      hosts      = local.members
      become     = "root"
      argv       = ["rm", "-f", "--", local.snapshot]
      timeout    = "30s"
      idempotent = true
      rollout { batch = "100%" }
    }
  }
}
