using Dashboard.Domain;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Web.Features.Connections;
using Dashboard.Web.Features.Jobs;
using Microsoft.AspNetCore.Mvc;

namespace Dashboard.Web.Api;

internal sealed record SubmittedAnswer(Guid Id, int Number, OrderAnswer? Order, ApprovalAnswer? Approval);

/// <param name="Reason">In the decider's words; may be left out.</param>
internal sealed record DeclineBody(string? Reason);

/// <param name="Mode"><c>SaveThenDestroy</c> (default) or <c>DestroyNow</c>.</param>
internal sealed record CancelBody(CancelMode? Mode);

/// <param name="Hours">For how long, more than 0 and at most 336; 24 when left out.</param>
internal sealed record KeepBody(double? Hours);

/// <summary>A machine that can be rented now, with what the job would cost on it.</summary>
internal sealed record OfferAnswer(
    string Id, string MachineId, string GpuName, int GpuCount, int VramMb, RentalType Rental, string? Location, decimal? Reliability, decimal? DownloadMbps, bool Verified,
    long RateMicrosPerHour, long GpuRateMicrosPerHour, long DiskRateMicrosPerHour, long ExpectedCostMicros, long LowCostMicros, long HighCostMicros, double ExpectedSeconds);

/// <param name="Problem">Why there are none; null when there are some.</param>
internal sealed record OffersAnswer(IReadOnlyList<OfferAnswer> Offers, string? Problem, DateTimeOffset AsOf);

internal static class JobEndpoints
{
    public static void MapJobs(this IEndpointRouteBuilder api)
    {
        api.MapPost("/offers", OffersAsync)
            .WithSummary("Offers for a job, cheapest in total first. Takes the body of a job; rents nothing.")
            .Produces<OffersAnswer>().ProducesValidationProblem();
        api.MapGet("/offers", (ApiCaller caller, QuoteOffers quote, ConnectionQueries connections, CancellationToken ct, Guid? connection, string? gpu, int? gpuCount, int? minVramMb, bool? verifiedOnly) =>
                OffersAsync(caller, new JobBody("offers", connection, null, null, new NeedsBody(gpu is null ? null : gpu.Split(','), gpuCount, minVramMb, null, null, verifiedOnly), null, null, null), quote, connections, ct))
            .WithSummary("Offers for the smoke test, cheapest in total first.")
            .Produces<OffersAnswer>().ProducesValidationProblem();

        api.MapPost("/jobs", SubmitAsync)
            .WithSummary("Submits a job. The same Idempotency-Key submits once, however often it is sent.")
            .Produces<SubmittedAnswer>(StatusCodes.Status201Created).ProducesValidationProblem().ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        api.MapGet("/jobs", async (ApiCaller caller, ApiQueries queries, CancellationToken ct, bool? active, int? before, int? limit) =>
                TypedResults.Ok(await queries.JobsAsync(caller.Team, active ?? false, before, Math.Clamp(limit ?? 50, 1, 200), ct)))
            .WithSummary("Jobs, newest first. Go on with before = the last number.");
        api.MapGet("/jobs/{number:int}", async (ApiCaller caller, int number, ApiQueries queries, CancellationToken ct) =>
                await queries.JobAsync(caller.Team, number, ct) is { } job ? Results.Ok(job) : ApiProblems.NotFound("job"))
            .WithSummary("A job with its attempts and what it has cost.")
            .Produces<JobAnswer>().ProducesProblem(StatusCodes.Status404NotFound);
        api.MapPost("/jobs/{number:int}/cancel", CancelAsync)
            .WithSummary("Stops a job, in whatever state it is. Its machine is destroyed until that is proven.")
            .Produces(StatusCodes.Status202Accepted).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
        api.MapPost("/jobs/{number:int}/keep", async (ApiCaller caller, int number, KeepBody? body, ParkJob park, CancellationToken ct) =>
                body?.Hours is { } hours && !(hours > 0 && hours <= Parking.Longest.TotalHours)
                    ? ApiProblems.Invalid([new FieldProblem("Hours", $"Keep it for more than 0 and at most {Parking.Longest.TotalHours:0} hours.")])
                    : Kept(number, await park.KeepAsync(caller.Team, number, TimeSpan.FromHours(body?.Hours ?? Parking.Usual.TotalHours), ct)))
            .WithSummary("Has a running job save, stops its machine and keeps it; its disk goes on billing. When the time is over it is destroyed and the job is cancelled. Again: keeps it so long from now.")
            .Produces(StatusCodes.Status202Accepted).ProducesValidationProblem().ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
        api.MapPost("/jobs/{number:int}/start", async (ApiCaller caller, int number, ParkJob park, CancellationToken ct) => Kept(number, await park.StartAsync(caller.Team, number, ct)))
            .WithSummary("Starts the kept machine of a job again; its program goes on from the checkpoint on its disk. It waits for its GPU if that is taken.")
            .Produces(StatusCodes.Status202Accepted).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
        api.MapPost("/jobs/{number:int}/approve", async (ApiCaller caller, int number, DecideJob decide, CancellationToken ct) => Decided(number, await decide.ApproveAsync(caller.Team, number, ct)))
            .WithSummary("Says yes to a job whose status is AwaitingApproval; it goes on. One's own job is for others to decide, an owner's excepted.")
            .Produces(StatusCodes.Status202Accepted).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
        api.MapPost("/jobs/{number:int}/decline", async (ApiCaller caller, int number, DeclineBody? body, DecideJob decide, CancellationToken ct) => Decided(number, await decide.DeclineAsync(caller.Team, number, body?.Reason, ct)))
            .WithSummary("Says no to a job whose status is AwaitingApproval; it is cancelled and has cost nothing.")
            .Produces(StatusCodes.Status202Accepted).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
    }

    private static IResult Kept(int number, ParkResult result) => result switch
    {
        { Found: false } => ApiProblems.NotFound("job"),
        { Problem: { } problem } => ApiProblems.Conflict(problem),
        _ => Results.Accepted($"/api/v1/jobs/{number}"),
    };

    private static IResult Decided(int number, DecideResult result) => result switch
    {
        DecideResult.Decided => Results.Accepted($"/api/v1/jobs/{number}"),
        DecideResult.Refused refused => ApiProblems.Conflict(refused.Message),
        DecideResult.NotFound => ApiProblems.NotFound("job"),
        _ => throw new InvalidOperationException($"No answer for {result.GetType().Name}."),
    };

    private static async Task<IResult> SubmitAsync(
        ApiCaller caller, JobBody body, SubmitJob submit, ConnectionQueries connections, [FromHeader(Name = "Idempotency-Key")] string? idempotencyKey, CancellationToken ct)
    {
        var (request, problem) = await body.ReadAsync(caller, connections, idempotencyKey, ct);
        return request is null ? ApiProblems.Invalid([problem!]) : await submit.RunAsync(caller.Team, request, ct) switch
        {
            SubmitResult.Accepted accepted => Results.Created($"/api/v1/jobs/{accepted.Number}", new SubmittedAnswer(accepted.Id.Value, accepted.Number, OrderAnswer.Of(accepted.Order, money: true), ApprovalAnswer.Of(accepted.Ask, money: true))),
            SubmitResult.Invalid invalid => ApiProblems.Invalid(invalid.Problems),
            SubmitResult.OverBudget over => ApiProblems.OverBudget(over),
            SubmitResult.NoAnswer silent => Results.Problem(title: "The provider does not answer.", detail: silent.Message, statusCode: StatusCodes.Status503ServiceUnavailable),
            var other => throw new InvalidOperationException($"No answer for {other.GetType().Name}."),
        };
    }

    private static async Task<IResult> CancelAsync(ApiCaller caller, int number, CancelBody? body, CancelJob cancel, CancellationToken ct) =>
        await cancel.RunAsync(caller.Team, number, body?.Mode ?? CancelMode.SaveThenDestroy, ct) switch
        {
            CancelResult.Accepted => Results.Accepted($"/api/v1/jobs/{number}"),
            CancelResult.NothingToStop => ApiProblems.Conflict($"Job #{number} has ended, or only its machine's destruction is left."),
            CancelResult.NotFound => ApiProblems.NotFound("job"),
        };

    private static async Task<IResult> OffersAsync(ApiCaller caller, JobBody body, QuoteOffers quote, ConnectionQueries connections, CancellationToken ct)
    {
        var (request, problem) = await body.ReadAsync(caller, connections, idempotencyKey: null, ct);
        if (request is null)
        {
            return ApiProblems.Invalid([problem!]);
        }

        var quotes = await quote.RunAsync(caller.Team, request, ct);
        return Results.Ok(new OffersAnswer([.. quotes.Offers.Select(AnswerOf)], quotes.Problem, quotes.AsOf));
    }

    private static OfferAnswer AnswerOf(QuotedOffer quoted)
    {
        var (offer, estimate) = (quoted.Offer, quoted.Estimate);
        return new(
            offer.Id, offer.MachineId, offer.GpuName, offer.GpuCount, offer.VramMb, offer.Rental, offer.Location, offer.Reliability, offer.DownloadMbps, offer.Verified,
            offer.Rate.MicrosPerHour, offer.GpuRate.MicrosPerHour, offer.DiskRate.MicrosPerHour,
            estimate.Expected.Micros, estimate.Low.Micros, estimate.High.Micros, estimate.Duration.TotalSeconds);
    }
}
