using System.Text.Json;
using Dashboard.Domain;
using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Infrastructure.Budgets;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Infrastructure.Notifications;

/// <summary>The dashboard's own channel: turns a message into a line of news, in the transaction that marks it as sent.</summary>
internal static class InAppChannel
{
    /// <summary>The words, read from the rows as they are now; null: nobody needs to hear of it here.</summary>
    /// <exception cref="InvalidOperationException">Its rows are not there, or its kind is not known.</exception>
    public static async Task<Notice?> WriteAsync(AppDbContext db, OutboxMessage message, CancellationToken ct)
    {
        using var payload = JsonDocument.Parse(message.Payload);
        Guid Id(string name) => payload.RootElement.GetProperty(name).GetGuid();
        return message.Kind switch
        {
            OutboxKinds.JobSubmitted => null, // whoever started it looks at it
            OutboxKinds.JobEnded => await EndedAsync(db, message, new JobId(Id("job")), ct),
            OutboxKinds.BudgetReached => await ReachedAsync(db, message, new BudgetId(Id("budget")), ct),
            OutboxKinds.KeyRefused => await RefusedAsync(db, message, new ConnectionId(Id("connection")), ct),
            OutboxKinds.DestroyUnconfirmed => await UnconfirmedAsync(db, message, new InstanceId(Id("instance")), ct),
            OutboxKinds.PriceReached => await ReachedPriceAsync(db, message, new InstanceId(Id("instance")), ct),
            OutboxKinds.OrderOver => await OrderOverAsync(db, message, new JobId(Id("job")), ct),
            _ => throw new InvalidOperationException($"Nobody here knows what \"{message.Kind}\" announces."),
        };
    }

    private static async Task<Notice> EndedAsync(AppDbContext db, OutboxMessage message, JobId id, CancellationToken ct)
    {
        var job = await db.Jobs.AsNoTracking().SingleAsync(j => j.Id == id, ct);
        var (tone, word) = job.Status switch
        {
            JobStatus.Succeeded => ("ok", "succeeded"),
            JobStatus.Failed => ("bad", "failed"),
            JobStatus.Cancelled when job.StopReason == StopReason.PriceNotReached => ("warn", "ended without its price"),
            JobStatus.Cancelled => ("off", "was stopped"),
            JobStatus.Paused => ("warn", "is paused"),
            _ => ("off", "was paused and goes on"), // it went on before the news was out
        };
        return Of(message, tone, $"{job.Name} #{job.Number} {word}", job.Message ?? "", $"/jobs/{job.Number}");
    }

    private static async Task<Notice> ReachedAsync(AppDbContext db, OutboxMessage message, BudgetId id, CancellationToken ct)
    {
        var budget = await db.Budgets.AsNoTracking().SingleAsync(b => b.Id == id, ct);
        return Of(message, "warn", BudgetNotices.HasReached(db, budget).TrimEnd('.'), "Jobs that need more of it are saved and paused.", "/budgets");
    }

    private static async Task<Notice> RefusedAsync(AppDbContext db, OutboxMessage message, ConnectionId id, CancellationToken ct)
    {
        var connection = await db.Connections.AsNoTracking().SingleAsync(c => c.Id == id, ct);
        return Of(message, "bad", $"{connection.Market.Name} refused the key of {connection.Name}", "Nothing is rented or stopped with it until a key works.", "/connections");
    }

    private static async Task<Notice> UnconfirmedAsync(AppDbContext db, OutboxMessage message, InstanceId id, CancellationToken ct)
    {
        var i = await db.Instances.AsNoTracking().SingleAsync(x => x.Id == id, ct);
        var number = await db.Jobs.Where(j => j.Id == i.JobId).Select(j => j.Number).SingleAsync(ct);
        return i.Status == InstanceStatus.Gone
            ? Of(message, "ok", $"Machine {i.ContractId} is gone after {i.DestroyAsks} asks", "Its end is confirmed.", $"/jobs/{number}")
            : Of(message, "warn", $"Machine {i.ContractId} is not confirmed gone", $"Asked {i.DestroyAsks} times; it may be billing {(i.GpuRate + i.DiskRate).Words()}.", $"/jobs/{number}");
    }

    private static async Task<Notice> ReachedPriceAsync(AppDbContext db, OutboxMessage message, InstanceId id, CancellationToken ct)
    {
        var i = await db.Instances.AsNoTracking().SingleAsync(x => x.Id == id, ct);
        var job = await db.Jobs.AsNoTracking().SingleAsync(j => j.Id == i.JobId, ct);
        var limit = job.Order is { } order ? $"The job waited for {order.Limit.Words()} or less. " : "";
        return Of(message, "ok", $"{job.Name} #{job.Number} has found its price", $"{limit}{i.GpuName} in {i.Location ?? "an unnamed place"} at {(i.QuotedGpuRate + i.QuotedDiskRate).Words()}.", $"/jobs/{job.Number}");
    }

    private static async Task<Notice> OrderOverAsync(AppDbContext db, OutboxMessage message, JobId id, CancellationToken ct)
    {
        var job = await db.Jobs.AsNoTracking().SingleAsync(j => j.Id == id, ct);
        var (word, what) = job.Order is { LiftedAt: not null } ? ("takes the best price", "is rented at the best price there is") : ("waits on for its price", "goes on waiting");
        return Of(message, "warn", $"{job.Name} #{job.Number} {word}", $"No machine cost {job.Order?.Limit.Words() ?? "little enough"} in its time; the job {what}.", $"/jobs/{job.Number}");
    }

    private static Notice Of(OutboxMessage message, string tone, string title, string detail, string link) =>
        new() { TeamId = message.TeamId, MessageId = message.Id, Kind = message.Kind, Tone = tone, Title = title, Detail = detail, Link = link, At = message.At };
}
