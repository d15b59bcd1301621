"""The pages. A page's view is in the module named after it, its template in the folder of the same name."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the pages, the addresses they use, and what their templates know."""
    from app.dashboard import (  # noqa: F401 - each adds its routes to the one blueprint
        all_jobs,
        all_pipelines,
        api_reference,
        artifact_preview,
        artifacts,
        audit,
        badges,
        board,
        changes,
        environments,
        error_pages,
        group_members,
        group_settings,
        groups,
        job_list,
        job_log,
        jobs,
        lint,
        members,
        neighbours,
        new_pipeline,
        new_project,
        palette,
        pipelines,
        profile,
        project_settings,
        projects,
        protected_refs,
        queue,
        releases,
        routing,
        runners,
        schedules,
        sessions,
        sign_in,
        site,
        storage,
        suggestions,
        templating,
        tests,
        tokens,
        trends,
        triggers,
        users,
        variables,
    )
    from app.dashboard.blueprint import pages

    app.url_map.converters["namespace"] = routing.NamespaceConverter
    app.url_map.converters["key"] = routing.KeyConverter
    app.url_map.converters["project"] = routing.ProjectConverter
    app.register_blueprint(pages)
    sign_in.init_app(app)
    site.init_app(app)
    templating.init_app(app)
    error_pages.init_app(app)
