using Dashboard.Domain;
using Dashboard.Web.Components;
using Dashboard.Web.Features.Jobs;
using Microsoft.AspNetCore.Components;

namespace Dashboard.Web.Features.Home;

/// <summary>
/// A card of jobs that holds still while it is read: a row keeps its place whatever becomes of its job, and jobs that
/// came since wait until they are asked for.
/// </summary>
public abstract class StayingJobs : LiveView<JobLines>
{
    private IReadOnlyList<JobId> _shown = [];

    [Inject] protected JobsListQueries Queries { get; private set; } = null!;

    /// <summary>Jobs that belong here and are not shown yet.</summary>
    protected int Waiting { get; private set; }

    /// <summary>The jobs this card would show to somebody who came now.</summary>
    protected abstract Task<IReadOnlyList<JobRow>> FreshAsync(CancellationToken ct);

    protected sealed override async Task<JobLines> QueryAsync(CancellationToken ct)
    {
        var fresh = await FreshAsync(ct);
        if (_shown.Count == 0)
        {
            _shown = [.. fresh.Select(j => j.Id)]; // nothing was there that could move
        }

        Waiting = fresh.Count(j => !_shown.Contains(j.Id));
        var left = _shown.Except(fresh.Select(j => j.Id)).ToList();
        var rows = fresh.Concat(left.Count == 0 ? [] : await Queries.OfAsync(Team, left, ct)).ToDictionary(j => j.Id);
        return new JobLines([.. _shown.Where(rows.ContainsKey).Select(id => rows[id])]);
    }

    protected async Task ShowNewAsync()
    {
        _shown = [];
        await ReadAsync();
    }
}
