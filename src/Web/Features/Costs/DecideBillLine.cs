using Dashboard.Domain.Costs.Reconciliation;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Costs;

/// <summary>A person's word on a line that differs. The ledger has the provider's figure either way; this says whether it is being disputed.</summary>
public sealed class DecideBillLine(AppDatabase database, ChangeFeed feed, TimeProvider time)
{
    /// <param name="state">Claimed, accepted, or open again.</param>
    /// <returns>False: it is not there, or there is nothing to decide about it.</returns>
    public async Task<bool> RunAsync(TeamContext team, long id, BillState state, CancellationToken ct)
    {
        team.Require(Permission.ManageConnections);
        if (state is not (BillState.Claimed or BillState.Accepted or BillState.Open))
        {
            throw new ArgumentOutOfRangeException(nameof(state), state, "A person claims, accepts or reopens.");
        }

        await using var db = await database.ForTeamAsync(team, ct);
        var (now, person) = (time.GetUtcNow(), team.UserId);
        var decided = await db.BillLines.Where(l => l.Id == id && l.State != BillState.Matched && l.State != BillState.NotReported).ExecuteUpdateAsync(
            set => set.SetProperty(l => l.State, state).SetProperty(l => l.DecidedBy, person).SetProperty(l => l.DecidedAt, now), ct);
        feed.Publish(team.TeamId);
        return decided == 1;
    }
}

/// <summary>Makes the team's bills due now; they are read within a minute.</summary>
public sealed class AskForBill(AppDatabase database, ChangeFeed feed, TimeProvider time)
{
    public async Task RunAsync(TeamContext team, CancellationToken ct)
    {
        team.Require(Permission.SeeMoney);
        await using var db = await database.ForTeamAsync(team, ct);
        var now = time.GetUtcNow();
        await db.BillReadings.Where(r => r.NextAt > now).ExecuteUpdateAsync(set => set.SetProperty(r => r.NextAt, now), ct);
        feed.Publish(team.TeamId);
    }
}
