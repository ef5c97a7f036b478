using Dashboard.Domain.Budgets;

namespace Dashboard.Web.Features.Budgets;

/// <summary>What is said while somebody has to say yes.</summary>
internal static class ApprovalWords
{
    /// <summary><c>Mira or Tomás</c>.</summary>
    public static string Names(IReadOnlyList<string> deciders) => deciders switch
    {
        [] => "an admin or owner",
        [var only] => only,
        _ => $"{string.Join(", ", deciders.Take(deciders.Count - 1))} or {deciders[^1]}",
    };

    /// <summary><c>Nothing is rented while Mira or Tomás decide.</c></summary>
    public static string Waits(IReadOnlyList<string> deciders) => $"Nothing is rented while {Names(deciders)} {(deciders.Count > 1 ? "decide" : "decides")}.";

    /// <summary>To a person who wants to raise something beyond their limit.</summary>
    /// <param name="cost">What becomes of it, with its cost.</param>
    public static string Refusal(PassedLimit passed, IReadOnlyList<string> deciders, string cost) =>
        $"{RoleLimitRules.Words(passed, role: null)}. {cost} {Names(deciders)} can do it.";
}
