using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Web.Features.Jobs;

namespace Dashboard.Web.Tests.Approvals;

/// <summary>What was submitted within a limit cannot be raised beyond it afterwards, but by those who may decide.</summary>
public sealed class RaisingTests : IDisposable
{
    private readonly ApprovalTown _town = new();

    [Fact]
    public async Task A_paused_job_goes_on_within_the_limit_and_beyond_it_only_by_somebody_who_may_decide()
    {
        _town.Limit(Role.Member, perJob: 25);
        await _town.SubmitAsync(_town.Priya);
        Pause(1);
        var goOn = _town.Get<GoOnWithJob>();

        Assert.Equal("≈ $60.00 is above your $25.00 a job. It stays paused, $0.00. Mira Okafor or Tomás Rey can do it.", await goOn.RunAsync(_town.Priya, 1, Money.FromUsd(60), default));
        Assert.Equal((JobStatus.Paused, Money.FromUsd(25)), (_town.Job(1).Status, _town.Job(1).Limits.MaxCost));
        Assert.Null(await goOn.RunAsync(_town.Tomas, 1, Money.FromUsd(60), default));

        Assert.Equal((JobStatus.Submitted, Money.FromUsd(60)), (_town.Job(1).Status, _town.Job(1).Limits.MaxCost));
        var decision = Assert.Single(_town.Decisions());
        Assert.Equal((_town.Tomas.UserId, Money.FromUsd(60), Money.FromUsd(25)), (decision.DecidedBy, decision.Amount, decision.Limit));
    }

    [Fact]
    public async Task What_was_approved_may_go_on_as_it_was_approved()
    {
        _town.Limit(Role.Member, perJob: 1);
        await _town.SubmitAsync(_town.Priya);
        await _town.Get<DecideJob>().ApproveAsync(_town.Mira, 1, default);
        Pause(1);

        Assert.Null(await _town.Get<GoOnWithJob>().RunAsync(_town.Priya, 1, _town.Job(1).Limits.MaxCost, default));
        Assert.Equal(JobStatus.Submitted, _town.Job(1).Status);
    }

    [Fact]
    public async Task A_price_that_is_waited_for_is_not_raised_beyond_the_limit_also_where_that_came_later()
    {
        await _town.SubmitAsync(_town.Priya, _town.TenHours with { Order = new OrderRequest(HourlyRate.FromUsd(0.2m), null, null, OrderEnding.Cancel) });
        _town.Limit(Role.Member, perHour: 0.21m);
        var orders = _town.Get<OrderActions>();

        Assert.Equal("$0.220/h is above your $0.210/h. It waits on for $0.200/h, $0.00. Mira Okafor or Tomás Rey can do it.", await orders.ChangeLimitAsync(_town.Priya, 1, HourlyRate.FromUsd(0.22m), default));
        Assert.Null(await orders.ChangeLimitAsync(_town.Priya, 1, HourlyRate.FromUsd(0.21m), default));
        Assert.Null(await orders.ChangeLimitAsync(_town.Mira, 1, HourlyRate.FromUsd(0.22m), default));
        Assert.Equal(HourlyRate.FromUsd(0.22m), Assert.Single(_town.Decisions()).Amount is var hour ? new HourlyRate(hour.Micros) : default);
    }

    [Fact]
    public async Task Started_at_any_price_it_is_still_rented_within_the_limit()
    {
        await _town.SubmitAsync(_town.Priya, _town.TenHours with { Order = new OrderRequest(HourlyRate.FromUsd(0.2m), null, null, OrderEnding.Cancel) });
        _town.Limit(Role.Member, perHour: 0.3m);

        Assert.Null(await _town.Get<OrderActions>().StartNowAsync(_town.Priya, 1, default));

        Assert.Equal((null, HourlyRate.FromUsd(0.3m)), (_town.Job(1).Order, _town.Job(1).Limits.MaxRate));
    }

    [Fact]
    public async Task Started_at_a_price_known_to_be_above_the_limit_is_refused()
    {
        await _town.SubmitAsync(_town.Priya, _town.TenHours with { Order = new OrderRequest(HourlyRate.FromUsd(0.2m), null, null, OrderEnding.Cancel) });
        Change(1, job => job.Order = job.Order! with { Lowest = HourlyRate.FromUsd(0.4m) });
        _town.Limit(Role.Member, perHour: 0.3m);

        Assert.Equal("$0.400/h is above your $0.300/h. It waits on, $0.00. Mira Okafor or Tomás Rey can do it.", await _town.Get<OrderActions>().StartNowAsync(_town.Priya, 1, default));
        Assert.NotNull(_town.Job(1).Order);
    }

    [Fact]
    public async Task A_bid_is_not_raised_beyond_the_limit_disk_included()
    {
        await _town.SubmitAsync(_town.Priya);
        using (var db = _town.Open())
        {
            var job = db.Jobs.Single();
            var seed = new TeamSeed(db, _town.Team, _town.Priya.UserId.Value, _town.Time.GetUtcNow());
            seed.Instance(job, seed.Attempt(job), InstanceStatus.Running, gpuUsd: 0.2m, diskUsd: 0.012m, rental: RentalType.Interruptible);
            db.SaveChanges();
        }

        _town.Limit(Role.Member, perHour: 0.3m);

        Assert.Equal("$0.302/h is above your $0.300/h. The bid stays as it is. Mira Okafor or Tomás Rey can do it.", await _town.Get<OutbidActions>().RaiseAsync(_town.Priya, 1, HourlyRate.FromUsd(0.29m), default));
    }

    public void Dispose() => _town.Dispose();

    private void Pause(int number) => Change(number, job =>
    {
        foreach (var status in new[] { JobStatus.Provisioning, JobStatus.Paused })
        {
            job.MoveTo(status, _town.Time.GetUtcNow());
        }
    });

    private void Change(int number, Action<Job> change)
    {
        using var db = _town.Open();
        change(db.Jobs.Single(j => j.Number == number));
        db.SaveChanges();
    }
}
