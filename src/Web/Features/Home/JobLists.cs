using Dashboard.Web.Features.Jobs;

namespace Dashboard.Web.Features.Home;

/// <summary>A short list of jobs, as a view reads it.</summary>
public sealed record JobLines(IReadOnlyList<JobRow> Rows);
