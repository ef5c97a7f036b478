using System.Globalization;
using Dashboard.Domain;
using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Costs;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Scheduling;

/// <summary>Numbers that are not as agreed, expected or usual, as inbox items that say which and go away with their cause. What a person settled is not said again.</summary>
internal static class FindAnomalies
{
    private const long StepsOfDay = 86_400_000 / SpendStep.Length;

    public static async Task OfMachinesAsync(AppDbContext db, IReadOnlyList<Instance> living, DateTimeOffset now, CancellationToken ct)
    {
        var (jobIds, attemptIds) = (living.Select(i => i.JobId).Distinct().ToList(), living.Select(i => i.AttemptId).ToList());
        var jobs = await db.Jobs.AsNoTracking().Where(j => jobIds.Contains(j.Id)).ToDictionaryAsync(j => j.Id, ct);
        var attempts = await db.Attempts.AsNoTracking().Where(a => attemptIds.Contains(a.Id)).ToDictionaryAsync(a => a.Id, ct);
        var found = InboxKinds.OfMachines.ToDictionary(kind => kind, _ => new HashSet<string>());
        foreach (var machine in living)
        {
            var job = jobs[machine.JobId];
            foreach (var anomaly in AnomalyRules.Of(machine, job, attempts[machine.AttemptId], now))
            {
                var (kind, link, action) = Words(anomaly.Kind, job.Number);
                var key = $"{kind}/{machine.Id}";
                found[kind].Add(key);
                await OpenAsync(db, job.TeamId, kind, key, $"{job.Name} #{job.Number} {anomaly.What}", anomaly.Detail, link, action, now, anomaly.AtRisk, ct);
            }
        }

        foreach (var (kind, keys) in found)
        {
            await FindTrouble.SettleAsync(db, kind, keys, now, ct);
        }
    }

    /// <summary>Of teams that spend now: today, UTC, against days like it. Play money counts only where there is no other.</summary>
    public static async Task OfSpendAsync(AppDbContext db, IReadOnlyList<Instance> living, DateTimeOffset now, CancellationToken ct)
    {
        var found = new HashSet<string>();
        var today = now.ToUnixTimeMilliseconds() / SpendStep.Length / StepsOfDay;
        foreach (var machines in living.GroupBy(i => i.TeamId))
        {
            var team = machines.Key;
            var simulated = !await db.Connections.AnyAsync(c => c.TeamId == team && c.Status != ConnectionStatus.Removed && !c.Market.Simulated, ct);
            var accounts = await db.Connections.Where(c => c.TeamId == team && c.Market.Simulated == simulated).Select(c => c.Id).ToListAsync(ct);
            var from = (today - SpendPattern.MostDays) * StepsOfDay;
            var days = await db.SpendSteps.AsNoTracking().Where(s => s.TeamId == team && s.Simulated == simulated && s.Step >= from)
                .GroupBy(s => s.Step / StepsOfDay).Select(g => new { g.Key, Micros = g.Sum(s => s.Micros) }).ToDictionaryAsync(g => g.Key, g => new Money(g.Micros), ct);
            var counted = machines.Where(i => accounts.Contains(i.ConnectionId)).ToList();
            var soFar = counted.Aggregate(days.GetValueOrDefault(today), (sum, i) => sum + i.Unposted(now));
            if (days.Count == 0 || Pattern(days, today)?.Bound(Date(today).DayOfWeek) is not { } bound || soFar <= bound)
            {
                continue;
            }

            var (day, usual) = (Date(today), Money.FromUsd(Pattern(days, today)!.Usual(Date(today).DayOfWeek)));
            var key = string.Create(CultureInfo.InvariantCulture, $"{InboxKinds.SpendUnusual}-{day:yyyy-MM-dd}/{team}");
            found.Add(key);
            await OpenAsync(
                db, team, InboxKinds.SpendUnusual, key, $"Today has cost {soFar.Words()}, {usual.Words()} is usual",
                $"Since midnight UTC; a {day.DayOfWeek} stays below {bound.Words()}.", string.Create(CultureInfo.InvariantCulture, $"/costs?from={day:yyyy-MM-dd}&to={day:yyyy-MM-dd}&by=job"), "See what it went to", now,
                counted.Aggregate(HourlyRate.Zero, (sum, i) => sum + i.BurnRate), ct);
        }

        await FindTrouble.SettleAsync(db, InboxKinds.SpendUnusual, found, now, ct);
    }

    private static SpendPattern? Pattern(Dictionary<long, Money> days, long today)
    {
        var first = days.Keys.Min();
        return SpendPattern.Of([.. Enumerable.Range(0, (int)(today - first)).Select(d => new SpendDay(Date(first + d), days.GetValueOrDefault(first + d)))]);
    }

    private static DateOnly Date(long day) => DateOnly.FromDateTime(DateTimeOffset.FromUnixTimeMilliseconds(day * StepsOfDay * SpendStep.Length).UtcDateTime);

    private static async Task OpenAsync(
        AppDbContext db, TeamId team, string kind, string key, string title, Said detail, string link, string action, DateTimeOffset now, HourlyRate atRisk, CancellationToken ct)
    {
        if (!await db.Inbox.AnyAsync(i => i.TeamId == team && i.Key == key && i.ResolvedBy != null, ct))
        {
            InboxWriter.Open(db, team, kind, key, title, detail, link, action, now, atRisk);
        }
    }

    private static (string Kind, string Link, string Action) Words(AnomalyKind kind, int job) => kind switch
    {
        AnomalyKind.RateAboveQuote => (InboxKinds.RateAboveQuote, $"/jobs/{job}?ask=stop", "Stop it"),
        AnomalyKind.WrongRental => (InboxKinds.WrongRental, $"/jobs/{job}?ask=stop", "Stop it"),
        AnomalyKind.TrafficSpike => (InboxKinds.TrafficSpike, $"/jobs/{job}?tab=cost", "See its cost"),
        AnomalyKind.IdleGpu => (InboxKinds.IdleGpu, $"/jobs/{job}?ask=stop", "Stop it"),
    };
}
