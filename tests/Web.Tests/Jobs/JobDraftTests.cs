using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Web.Features.Jobs;

namespace Dashboard.Web.Tests.Jobs;

public sealed class JobDraftTests
{
    [Theory]
    [InlineData("four", "Limits.MaxCost")]
    [InlineData("1e400", "Limits.MaxCost")]
    [InlineData("99999999999999999999", "Limits.MaxCost")]
    public void A_figure_that_cannot_be_read_is_a_problem_of_its_field_and_stays_as_typed(string typed, string field)
    {
        var draft = new JobDraft { MaxCost = typed };
        Assert.Equal([field], draft.Read("k").Problems.Select(p => p.Field));
        Assert.Equal(typed, draft.MaxCost);
    }

    [Fact]
    public void What_is_typed_becomes_the_request()
    {
        var (request, problems) = new JobDraft
        {
            Preset = Presets.Command,
            Name = "eval",
            Script = "python3 eval.py",
            Collect = "result.json\n\n  plots/*.png ",
            Gpus = "RTX 4090, A100",
            MinVram = "24",
            Disk = "40",
            MaxCost = "$4.50",
            MaxRate = "0.8",
            MaxHours = "1.5",
            Tags = "r16, nov",
        }.Read("key-1");
        Assert.Empty(problems);
        Assert.Equal(["result.json", "plots/*.png"], request.Spec.Command!.Collect);
        Assert.Equal(["RTX 4090", "A100"], request.Needs.GpuNames);
        Assert.True(request.Needs.MinVramMb is > 20_000 and <= 24_564); // a 24 GB card reports 24,564 MB and must fit
        Assert.Equal(new JobLimits(Money.FromUsd(4.5m), HourlyRate.FromUsd(0.8m), TimeSpan.FromMinutes(90)), request.Limits);
        Assert.Equal((40m, "key-1"), (request.Spec.DiskGb, request.IdempotencyKey));
        Assert.Equal(["r16", "nov"], request.Tags);
    }

    [Fact]
    public void A_clone_asks_for_the_same_under_the_next_name()
    {
        var job = Views.Running() with { Limits = new JobLimits(Money.FromUsd(4.5m), null, TimeSpan.FromHours(12)), Needs = new MachineNeeds(["RTX 4090"], 2) };
        var draft = JobDraft.CloneOf(job, new ConnectionId(Guid.NewGuid()));
        var request = draft.Read("k").Request;
        Assert.Equal("support-bot-v8", draft.Name);
        Assert.Equal(job.Spec, request.Spec);
        Assert.Equal(job.Limits, request.Limits);
        Assert.Equal(2, request.Needs.GpuCount);
    }

    [Fact]
    public void A_bid_the_tries_by_cause_and_what_counts_as_stuck_become_limits_and_a_clone_keeps_them()
    {
        var draft = new JobDraft { WithBid = true, Bid = "0.22", OnDemandAfter = "2", FinishHours = "24", RetryCapacity = "9", RetryMachine = "1", RetryInterruption = "8", RetryScript = "2", NoStepMinutes = "30", MaxLoss = "8" };
        var (request, problems) = draft.Read("k");
        Assert.Empty(problems);
        Assert.Equal(
            new JobLimits(null, null, null)
            {
                Bid = new BidPlan(HourlyRate.FromUsd(0.22m), 2),
                Retry = new RetryPolicy(9, 1, 8, 2),
                Health = new HealthLimits(TimeSpan.FromMinutes(30), 8),
            },
            request.Limits);
        Assert.Equal(TimeSpan.FromHours(24), request.FinishWithin);
        Assert.Equal(request.Limits, JobDraft.CloneOf(Views.Running() with { Limits = request.Limits }, default).Read("k").Request.Limits);

        var call = ApiCall.Curl("http://localhost:5080/", request);
        Assert.Contains("\"rateMicrosPerHour\": 220000", call, StringComparison.Ordinal);
        Assert.Contains("\"finishWithinSeconds\": 86400", call, StringComparison.Ordinal);
        Assert.Contains("\"script\": 2", call, StringComparison.Ordinal);
    }

    [Fact]
    public void A_bid_and_tries_out_of_range_are_problems_of_their_fields()
    {
        var draft = new JobDraft { Name = "x", WithBid = true, Bid = "0.90", MaxRate = "0.50", OnDemandAfter = "99", RetryScript = "-1", RetryMachine = "21", NoStepMinutes = "0.5" };
        Assert.Equal(
            ["Limits.Bid.Bid", "Limits.Bid.OnDemandAfter", "Limits.Retry.Machine", "Limits.Retry.Script", "Limits.Health.NoStepFor"],
            JobRequestValidator.Problems(draft.Read("k").Request).Select(p => p.Field));
    }

    [Fact]
    public void What_a_job_waits_for_is_kept_by_a_clone_and_said_in_the_apis_own_words()
    {
        var draft = new JobDraft { Name = "x", AtAPrice = true, OrderLimit = "$0.35", OrderHours = "48", OrderThen = OrderEnding.Wait };
        var (request, problems) = draft.Read("k");
        Assert.Empty(problems);
        Assert.Equal(new OrderRequest(HourlyRate.FromUsd(0.35m), TimeSpan.FromHours(48), null, OrderEnding.Wait), request.Order);
        Assert.Empty(JobRequestValidator.Problems(request));

        var again = JobDraft.CloneOf(Views.Running() with { Order = request.Order!.From(Views.Now) }, default).Read("k").Request.Order;
        Assert.Equal((request.Order.Limit, request.Order.Then), (again!.Limit, again.Then));
        var call = ApiCall.Curl("http://localhost:5080/", request);
        Assert.Contains("\"limitMicrosPerHour\": 350000", call, StringComparison.Ordinal);
        Assert.Contains("\"goodForSeconds\": 172800", call, StringComparison.Ordinal);
    }

    [Fact]
    public void An_order_that_could_never_be_met_is_a_problem_of_its_fields()
    {
        var draft = new JobDraft { Name = "x", AtAPrice = true, OrderLimit = "0.50", OrderHours = "48", FinishHours = "24", MaxRate = "0.40", WithBid = true, Bid = "0.39" };
        Assert.Equal(["Order.Limit", "Order.GoodFor"], JobRequestValidator.Problems(draft.Read("k").Request).Select(p => p.Field));
        var bid = new JobDraft { Name = "x", AtAPrice = true, OrderLimit = "0.30", WithBid = true, Bid = "0.30" };
        Assert.Equal(["Limits.Bid.Bid"], JobRequestValidator.Problems(bid.Read("k").Request).Select(p => p.Field));
    }

    [Fact]
    public void Typing_a_name_a_tag_or_a_script_asks_no_provider_and_changing_a_need_does()
    {
        var draft = new JobDraft();
        var before = draft.QuoteKey;
        (draft.Name, draft.Tags, draft.Script) = ("other", "a, b", "echo");
        Assert.Equal(before, draft.QuoteKey);
        draft.Disk = "40";
        Assert.NotEqual(before, draft.QuoteKey);
    }

    [Fact]
    public void The_api_call_survives_a_quote_in_the_script_and_carries_no_token()
    {
        var call = ApiCall.Curl("http://localhost:5080/", new JobDraft { Preset = Presets.Command, Script = "echo 'hi'", Name = "x" }.Read("k").Request);
        Assert.Contains("""echo '\''hi'\''""", call, StringComparison.Ordinal);
        Assert.Contains("$DASHBOARD_TOKEN", call, StringComparison.Ordinal);
        Assert.Contains("http://localhost:5080/api/v1/jobs", call, StringComparison.Ordinal);
    }

    [Fact]
    public void The_api_call_asks_for_the_connection_and_the_limits_of_the_form_in_the_apis_own_words()
    {
        var connection = new ConnectionId(Guid.NewGuid());
        var call = ApiCall.Curl("http://localhost:5080/", new JobDraft { Preset = Presets.Smoke, Name = "x", ConnectionId = connection, MaxCost = "4.50", MaxHours = "2" }.Read("k").Request);
        Assert.Contains($"\"connection\": \"{connection}\"", call, StringComparison.Ordinal);
        Assert.Contains("\"maxCostMicros\": 4500000", call, StringComparison.Ordinal);
        Assert.Contains("\"maxRuntimeSeconds\": 7200", call, StringComparison.Ordinal);
    }
}
