using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Prices;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Prices;

/// <summary>Alerts on hosts of their own: no poll of a series sees their cheapest, so each has a floor poll to itself, out of the same rows.</summary>
public sealed partial class PricePoller
{
    /// <summary>Those of the teams that connect the account. A simulated market is not asked for a team that has a real one.</summary>
    private async Task<IReadOnlyList<PriceAlertRow>> AlertsOnHostsAsync(IReadOnlyList<Connection> connections, CancellationToken ct)
    {
        var teams = connections.Select(c => c.TeamId).ToList();
        await using var db = await database.ForSystemAsync(ct);
        var alerts = await db.PriceAlerts.AsNoTracking().Where(a => teams.Contains(a.TeamId) && a.Hosts != null).OrderBy(a => a.CreatedAt).ToListAsync(ct);
        if (alerts.Count == 0 || !connections[0].Market.Simulated)
        {
            return alerts;
        }

        var real = await db.Connections.AsNoTracking().Where(c => teams.Contains(c.TeamId) && c.Status != ConnectionStatus.Removed && !c.Market.Simulated).Select(c => c.TeamId).Distinct().ToListAsync(ct);
        return [.. alerts.Where(a => !real.Contains(a.TeamId))];
    }

    private async Task AskForAlertsAsync(Turn turn, CancellationToken ct)
    {
        foreach (var alert in turn.Alerts)
        {
            if (turn.Searches <= 0)
            {
                return;
            }

            if (await ReserveAsync(turn, alert.Id, ct))
            {
                var page = await turn.Marketplace.SearchPageAsync(alert.Filter.Query(PollPlan.FloorRows), ct);
                turn.Searches--;
                await CountAsync(turn, used => used with { Floor = used.Floor - PollPlan.FloorRows + page.Rows }, ct);
                var now = Whole(time.GetUtcNow());
                var point = PriceStatistics.Point(page.Offers, now, complete: !page.Full);
                var cheapest = page.Offers.Where(PlausiblePrice.Holds).MinBy(PriceStatistics.PerGpu);
                await AnswerAsync(turn, alert.Id, answer => answer with { At = now, Price = PriceAlertRules.ValueOf(alert.Measure, point)?.MicrosPerHour, GpuName = cheapest?.GpuName, Place = cheapest?.Location }, ct);
            }
        }
    }

    /// <summary>Takes the alert's turn at this market and counts its rows before they are asked for, so that a crash can only count too many.</summary>
    /// <returns>Whether it is to be asked now.</returns>
    private async Task<bool> ReserveAsync(Turn turn, Guid alert, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        if (new RowRation(options.Value.RowsPerDay).Left(PointKind.Floor, turn.Used) < PollPlan.FloorRows)
        {
            return false;
        }

        var due = false;
        await AnswerAsync(turn, alert, answer =>
        {
            due = answer.NextAt <= now;
            return due ? answer with { NextAt = now + turn.OftenEvery } : answer;
        }, ct);
        if (due)
        {
            await CountAsync(turn, used => used with { Floor = used.Floor + PollPlan.FloorRows }, ct);
        }

        return due;
    }

    /// <summary>Changes what one market has answered; the others' answers stay as they are.</summary>
    private async Task AnswerAsync(Turn turn, Guid id, Func<HostAnswer, HostAnswer> change, CancellationToken ct)
    {
        await using var db = await database.ForSystemAsync(ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.PriceAlerts.AsTracking().SingleOrDefaultAsync(a => a.Id == id, ct) is not { } alert)
        {
            return; // taken away meanwhile
        }

        var market = turn.Connection.Market;
        var before = alert.Answers.FirstOrDefault(a => a.Market == market) ?? new HostAnswer(market, alert.CreatedAt);
        var after = change(before);
        if (after == before)
        {
            return;
        }

        alert.Answers = [.. alert.Answers.Where(a => a.Market != market), after];
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }
}
