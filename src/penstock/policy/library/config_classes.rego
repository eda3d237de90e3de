# Which projects may use which resource classes.
package circleci.config

import rego.v1

# Violations of jobs whose resource class belongs to other projects: the argument has the projects of a class.
resource_class_by_project(owners) := {message |
	some name, job in input._compiled_.jobs
	projects := owners[job.resource_class]
	not data.meta.project_id in projects
	message := sprintf("project is not allowed to use resource_class \"%s\" declared in job \"%s\"", [job.resource_class, name])
}
