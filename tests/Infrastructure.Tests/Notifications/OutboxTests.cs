using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Inbox;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Notifications;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Infrastructure.Tests.Budgets;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dashboard.Infrastructure.Tests.Notifications;

/// <summary>What is announced reaches the bell once: none is lost and none repeated, whatever ends the server at whatever moment.</summary>
public sealed class OutboxTests : IAsyncLifetime
{
    private BudgetTown _town = null!;
    private Neighbourhood _here = null!;

    public async ValueTask InitializeAsync()
    {
        _town = await BudgetTown.OpenAsync();
        _here = await _town.TeamAsync();
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await _town.DisposeAsync();
    }

    [Fact]
    public async Task Each_cause_is_announced_once_and_delivered_once_by_many_dispatchers_at_once()
    {
        var budget = await _town.BudgetAsync(_here, 1);
        for (var day = 0; day < 20; day++)
        {
            await AnnounceAsync(OutboxKinds.BudgetReached, $"{budget.Id}/{day}", $"{{\"budget\":\"{budget.Id}\"}}");
            await AnnounceAsync(OutboxKinds.BudgetReached, $"{budget.Id}/{day}", $"{{\"budget\":\"{budget.Id}\"}}"); // the same again
        }

        var delivered = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => Dispatcher().RunAsync(default))));

        Assert.Equal(20, delivered.Sum());
        Assert.Equal(20, (await NoticesAsync()).Select(n => n.MessageId).Distinct().Count());
        Assert.Equal(20, (await NoticesAsync()).Count);
        Assert.Equal(0, await Dispatcher().RunAsync(default));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public async Task A_crash_at_any_statement_of_a_delivery_loses_nothing_and_repeats_nothing(int statement)
    {
        var budget = await _town.BudgetAsync(_here, 1);
        await AnnounceAsync(OutboxKinds.BudgetReached, "first", $"{{\"budget\":\"{budget.Id}\"}}");
        await AnnounceAsync(OutboxKinds.BudgetReached, "second", $"{{\"budget\":\"{budget.Id}\"}}");

        using (var ending = new CancellationTokenSource())
        {
            var crash = new Crash(statement, ending);
            var crashing = new OutboxDispatcher(new AppDatabase(new Contexts(await OptionsAsync(crash))), new ChangeFeed(), _town.Time, NullLogger<OutboxDispatcher>.Instance);
            try
            {
                await crashing.RunAsync(ending.Token);
            }
            catch (OperationCanceledException)
            {
                // the process has ended here
            }
        }

        _town.Time.Advance(TimeSpan.FromSeconds(31)); // its lease runs out
        await Dispatcher().RunAsync(default);

        Assert.Equal(2, (await NoticesAsync()).Count);
        Assert.Equal(2, (await NoticesAsync()).Select(n => n.MessageId).Distinct().Count());
    }

    [Fact]
    public async Task What_cannot_be_delivered_is_tried_later_each_time_laid_aside_in_the_end_and_holds_up_nobody()
    {
        var budget = await _town.BudgetAsync(_here, 1);
        await AnnounceAsync(OutboxKinds.BudgetReached, "poison", $"{{\"budget\":\"{Guid.NewGuid()}\"}}");
        await AnnounceAsync(OutboxKinds.BudgetReached, "good", $"{{\"budget\":\"{budget.Id}\"}}");

        Assert.Equal(1, await Dispatcher().RunAsync(default));
        Assert.Equal(0, await Dispatcher().RunAsync(default)); // not before its time
        Assert.Equal(1, (await PoisonAsync()).Tries);

        var waits = new List<TimeSpan>();
        while ((await PoisonAsync()) is { DeadAt: null, NextTryAt: { } next })
        {
            waits.Add(next - _town.Now);
            _town.Time.SetUtcNow(next);
            await Dispatcher().RunAsync(default);
        }

        Assert.Equal(waits.Order(), waits);
        Assert.Equal(OutboxDispatcher.MostTries, (await PoisonAsync()).Tries);
        Assert.NotNull((await PoisonAsync()).Problem);
        Assert.Single(await NoticesAsync());
    }

    [Fact]
    public async Task News_says_how_a_job_ended_and_what_it_cost()
    {
        var (job, _) = await _town.SubmitAsync(_here, HourlyRate.FromUsd(1), Money.FromUsd(1), TimeSpan.FromHours(1));
        await using (var db = await _town.Database.ForSystemAsync(default))
        {
            var row = await db.Jobs.SingleAsync(j => j.Id == job.Id);
            row.MoveTo(Domain.Jobs.JobStatus.Failed, _town.Now);
            row.Message = "No machine is free. It cost $0.00.";
            await db.SaveChangesAsync();
        }

        await AnnounceAsync(OutboxKinds.JobEnded, $"{job.Id}/1", $"{{\"job\":\"{job.Id}\"}}");
        await Dispatcher().RunAsync(default);

        var notice = Assert.Single(await NoticesAsync());
        Assert.Equal(("bad", "test #1 failed", "No machine is free. It cost $0.00.", "/jobs/1"), (notice.Tone, notice.Title, notice.Detail.Full, notice.Link));
    }

    private OutboxDispatcher Dispatcher() => new(_town.Database, new ChangeFeed(), _town.Time, NullLogger<OutboxDispatcher>.Instance);

    private async Task AnnounceAsync(string kind, string cause, string payload)
    {
        await using var db = await _town.Database.ForSystemAsync(default);
        Outbox.Announce(db, _here.Team.Id, kind, cause, payload, _town.Now);
        await db.SaveChangesAsync();
    }

    private async Task<List<Notice>> NoticesAsync()
    {
        await using var db = await _town.Database.ForSystemAsync(default);
        return await db.Notices.AsNoTracking().ToListAsync();
    }

    private async Task<OutboxMessage> PoisonAsync()
    {
        await using var db = await _town.Database.ForSystemAsync(default);
        return await db.Outbox.AsNoTracking().SingleAsync(m => m.DedupKey.EndsWith("poison"));
    }

    private async Task<DbContextOptions<AppDbContext>> OptionsAsync(Crash crash)
    {
        await using var db = await _town.Database.ForSystemAsync(default);
        return new DbContextOptionsBuilder<AppDbContext>().UseDashboardSqlite(db.Database.GetConnectionString()!).AddInterceptors(crash).Options;
    }

    private sealed class Contexts(DbContextOptions<AppDbContext> options) : IDbContextFactory<AppDbContext>
    {
        public AppDbContext CreateDbContext() => new(options);
    }

    /// <summary>From the given statement on nothing reaches the database any more.</summary>
    private sealed class Crash(int statement, CancellationTokenSource ending) : DbCommandInterceptor
    {
        private int _seen;

        public override ValueTask<InterceptionResult<System.Data.Common.DbDataReader>> ReaderExecutingAsync(System.Data.Common.DbCommand command, CommandEventData eventData, InterceptionResult<System.Data.Common.DbDataReader> result, CancellationToken cancellationToken = default)
        {
            Count();
            return new(result);
        }

        public override ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(System.Data.Common.DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
        {
            Count();
            return new(result);
        }

        private void Count()
        {
            if (++_seen >= statement)
            {
                ending.Cancel();
                throw new OperationCanceledException(ending.Token);
            }
        }
    }
}
