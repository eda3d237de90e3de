# Which projects and branches may use which contexts.
package circleci.config

import data.circleci.utils
import rego.v1

# Violations of these projects' jobs that use a context of the list.
contexts_blocked_by_project_ids(projects, contexts) := {message |
	data.meta.project_id in utils.to_set(projects)
	some use in context_uses
	bad := use.contexts & utils.to_set(contexts)
	count(bad) > 0
	message := sprintf("%s: uses context value(s) in blocklist for project: %s", [use.place, concat(", ", bad)])
}

# Violations of these projects' jobs that use a context which is not in the list.
contexts_allowed_by_project_ids(projects, contexts) := {message |
	data.meta.project_id in utils.to_set(projects)
	some use in context_uses
	bad := use.contexts - utils.to_set(contexts)
	count(bad) > 0
	message := sprintf("%s: uses context value(s) not in allowlist for project: %s", [use.place, concat(", ", bad)])
}

# Violations of all other projects' jobs that use a context of the list.
contexts_reserved_by_project_ids(projects, contexts) := {message |
	not data.meta.project_id in utils.to_set(projects)
	some use in context_uses
	bad := use.contexts & utils.to_set(contexts)
	count(bad) > 0
	message := sprintf("%s: uses context value(s) reserved to other projects: %s", [use.place, concat(", ", bad)])
}

# Violations of jobs that use a context of the list and do not run only on these branches.
contexts_reserved_by_branches(branches, contexts) := stray_contexts(branches, contexts) | free_contexts(branches, contexts)

stray_contexts(branches, contexts) := {message |
	some use in branch_uses
	bad := use.contexts & utils.to_set(contexts)
	count(bad) > 0
	strays := utils.to_set(use.branches) - utils.to_set(branches)
	count(strays) > 0
	message := sprintf(
		"%s: uses context value(s): %s - that cannot be used with branches: %s",
		[use.place, concat(", ", bad), concat(", ", strays)],
	)
}

free_contexts(branches, contexts) := {message |
	some use in branch_uses
	bad := use.contexts & utils.to_set(contexts)
	count(bad) > 0
	not use.branches
	message := sprintf(
		"%s: uses context value(s): %s - that must be limited to branches: %s",
		[use.place, concat(", ", bad), concat(", ", utils.to_set(branches))],
	)
}

# The contexts of each job of each workflow that will run.
context_uses contains use if {
	some workflow_name, workflow in input._compiled_.workflows
	some entry in workflow.jobs
	some name, job in entry
	use := {"place": sprintf("%s.%s", [workflow_name, name]), "contexts": utils.to_set(job.context)}
}

# The same as written, with the branches the job is limited to.
branch_uses contains use if {
	some workflow_name, workflow in input.workflows
	some entry in workflow.jobs
	some name, job in entry
	branches := object.get(job, ["filters", "branches", "only"], false)
	use := {
		"place": sprintf("%s.%s", [workflow_name, name]),
		"contexts": utils.to_set(job.context),
		"branches": branches,
	}
}
