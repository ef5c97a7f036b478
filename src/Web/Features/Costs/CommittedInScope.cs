using Dashboard.Infrastructure.Budgets;

namespace Dashboard.Web.Features.Costs;

/// <summary>Which of what runs and waits belongs to a view of the costs.</summary>
internal static class CommittedInScope
{
    /// <summary>Whether its charges will count in a scope; a kind of charge cannot be foretold.</summary>
    public static bool IsIn(this CommittedJob committed, CostScope scope)
    {
        var job = committed.Job;
        return scope.Kind is null
            && (scope.Project is null || scope.Project == job.ProjectId) && (scope.Person is null || scope.Person == job.CreatedBy) && (scope.Job is null || scope.Job == job.Number)
            && (scope.Gpu is null || scope.Gpu == committed.Gpu) && (scope.Provider is null || scope.Provider == committed.Provider)
            && (scope.Tag is null || (scope.WantedTags.Tags.All(job.Tags.Contains) && (!scope.WantedTags.Exactly || scope.WantedTags.Tags.Count == job.Tags.Count)));
    }
}
